"""`exchange directory rollout`: the count for people and for programs."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.cli.directory.rollout import percent
from exchange.domain.directory import BodyStatus, Paper
from exchange.domain.paper import day_of
from exchange.domain.rollout import Count
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.store.database import Store
from exchange.system import now

DAYS = 10


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with one of its two ayil okmotu still carried by a bridge, for some days more."""
    folder = tmp_path_factory.mktemp("rollout")
    installer = Installer(folder, demo_bodies(), now())
    installer.write_settings("127.0.0.1:1")
    keys = Authority(folder / "authority", now=now()).directory
    reader = DirectoryFolder.at(folder / "directory", keys.root)
    latest = reader.latest()
    ends = day_of(now()) + timedelta(days=DAYS)
    village = replace(
        latest.bodies["ak-bulun"], status=BodyStatus.APPROVED, gateway="mfa", paper=Paper(ends, date(2022, 4, 1))
    )
    changed = successor(latest, {**latest.bodies, village.code: village}, now())
    DirectoryPublisher(reader).publish(changed, keys.publishing(), now())
    return installer.installation.config("operator")


def run(config: Path, *arguments: str) -> Result:
    """`exchange directory rollout …`."""
    done = CliRunner().invoke(app, ["directory", "rollout", *arguments, "--config", str(config)])
    assert done.exit_code == 0, done.stderr
    return done


def test_the_table_for_people(config: Path) -> None:
    """Oblasts, the country, the days to the cut-offs; raions when asked for."""
    shown = run(config).stdout
    lines = {line.split("  ")[0].strip(): line.split() for line in shown.splitlines()}
    assert lines["central bodies"][2:] == ["7", "of", "7", "100", "%"]
    assert lines["Иссык-Кульская область"][2:] == ["1", "of", "2", "50", "%", "1", "of", "2", "50", "%", "1"]
    assert lines["the country"][2:] == ["8", "of", "9", "89", "%", "1", "of", "2", "50", "%", "1"]
    assert "paper ends on 2022-04-01 (in force): 0 take none, 1 send none" in shown
    left = (DAYS, DAYS - 1)  # the day may have ended since the directory was published
    assert any(f"(in {days} days): 1 take none, 0 send none" in shown for days in left)
    assert "Ак-Суйский район" not in shown
    assert "  Ак-Суйский район" in run(config, "--raions").stdout


def test_who_is_silent(config: Path) -> None:
    """Named when asked for; before the first letter that is everybody who is connected."""
    assert "silent" not in run(config).stdout
    with Store(f"sqlite:///{config.parent / 'tracker.sqlite'}") as store:
        store.migrate()
    shown = run(config, "--silent", "7").stdout
    assert "silent: chon-oruktu, kyzmat, mfa, minekonom, minjust, natstatkom, prezident, sanarip-aimak" in shown


def test_the_count_for_programs(config: Path) -> None:
    """The same with all raions."""
    result = json.loads(run(config, "--json").stdout)["result"]
    assert result["country"]["all"] == {"connected": 8, "bodies": 9}
    raions = [raion for oblast in result["oblasts"] for raion in oblast["raions"]]
    assert [(raion["soate"], raion["name"], raion["carried"]) for raion in raions] == [
        ("41702205", "Ак-Суйский район", 1),
        ("41702215", "Иссык-Кульский район", 0),
    ]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (Count(0, 0), ""),
        (Count(0, 9), "0 %"),
        (Count(1, 994), "1 %"),
        (Count(993, 994), "99 %"),
        (Count(74, 105), "70 %"),
        (Count(9, 9), "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nobody(count: Count, shown: str) -> None:
    """Who reads 100 % stops looking."""
    assert percent(count) == shown
