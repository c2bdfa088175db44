"""`exchange directory paper`: keepers say until when a body uses paper, and who carries it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from exchange.domain.directory import BodyStatus, Paper
from tests.cli.test_directory import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation that does not run, with an ayil okmotu that is not connected yet."""
    made = Place(tmp_path / "installation")
    made.change(replace(made.folder.latest().bodies["ak-bulun"], status=BodyStatus.PLANNED))
    return made


def test_a_body_is_carried(place: Place) -> None:
    """By a bridge, until the days that two keepers agree on; who is electronic already only has the days."""
    days = ("--taken-until", "2022-04-01", "--sent-until", "2022-03-01", "--reason", "no agent yet", *place.keys())
    done = place.run("paper", "ak-bulun", "--bridge", "mfa", *days)
    assert done.exit_code == 0, done.stderr
    assert "paper: None → taken until 2022-04-01, sent until 2022-03-01" in done.stdout
    carried = place.folder.latest().bodies["ak-bulun"]
    assert carried.carried
    assert (carried.gateway, carried.paper) == ("mfa", Paper(date(2022, 4, 1), date(2022, 3, 1)))
    assert place.run("paper", "minjust", *days).exit_code == 0
    assert not place.folder.latest().bodies["minjust"].carried
    assert "taken until 2022-04-01, sent until 2022-03-01" in place.run("show", "ak-bulun").stdout


def test_a_body_goes_electronic(place: Place) -> None:
    """Without a day nothing more goes by paper, and without a bridge nobody carries it."""
    why = ("--reason", "connected", *place.keys())
    assert place.run("paper", "ak-bulun", "--bridge", "mfa", "--taken-until", "2022-04-01", *why).exit_code == 0
    assert place.folder.latest().bodies["ak-bulun"].paper == Paper(date(2022, 4, 1), None)
    assert place.run("paper", "ak-bulun", "--bridge", "", *why).exit_code == 0
    body = place.folder.latest().bodies["ak-bulun"]
    assert (body.paper, body.gateway, body.reachable) == (None, "", False)


def test_a_body_that_nobody_lists(place: Place) -> None:
    """Neither as carried nor as the bridge."""
    refused = place.run("paper", "nobody", "--reason", "r", *place.keys())
    assert "error[body-unknown]" in refused.stderr
    refused = place.run("paper", "ak-bulun", "--bridge", "nobody", "--reason", "r", *place.keys())
    assert "error[body-unknown]" in refused.stderr
