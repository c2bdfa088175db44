"""`exchange demo --story rollout`: the country's way off paper beside the source's figures."""

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from exchange.cli import app
from exchange.cli.demo_rollout import render
from exchange.domain.rollout import count_roll_out
from exchange.embedded.rollout_letters import Posted, postings
from exchange.embedded.rollout_story import SHOWN_DAYS, RollOutStory

OSH, CHUI = "41706", "41708"


@pytest.fixture(scope="module")
def story() -> Any:
    """The story as a program is told it, played once."""
    done = CliRunner().invoke(app, ["demo", "--story", "rollout", "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)["result"]


def villages(count: Any) -> dict[str, tuple[int, int]]:
    """Ayil okmotu connected, and all, by oblast."""
    return {
        oblast["soate"]: (oblast["ayil_okmotu"]["connected"], oblast["ayil_okmotu"]["bodies"])
        for oblast in count["oblasts"]
        if oblast["ayil_okmotu"]["bodies"]
    }


def test_january_is_as_the_source_tells(story: Any) -> None:
    """941 connected, 400 ayil okmotu, 74 of 105 in Chui, 76 % in Osh, over 94 % in the five others."""
    january = story["counts"][0]
    assert january["day"] == "2022-01-31"
    assert january["country"]["all"]["connected"] == 941
    assert january["country"]["ayil_okmotu"] == {"connected": 400, "bodies": 453}, "the source: of 452"
    found = villages(january)
    assert len(found) == 7
    assert found.pop(CHUI) == (74, 105)
    connected, bodies = found.pop(OSH)
    assert round(100 * connected / bodies) == 76
    assert all(connected / bodies > 0.94 for connected, bodies in found.values())


def test_the_laggards_follow(story: Any) -> None:
    """Nobody leaves again; one is late for the second date, and connected in the end."""
    counts = [count["country"]["ayil_okmotu"]["connected"] for count in story["counts"]]
    assert counts == sorted(counts)
    assert counts[-2:] == [452, 453]
    assert story["counts"][-1]["country"]["all"]["connected"] == story["bodies"] == 994
    assert story["counts"][-1]["country"]["carried"] == 0


def test_paper_ends_on_both_dates(story: Any) -> None:
    """A second before midnight it is taken, at midnight refused by name; electronic letters pass throughout."""
    letters = story["letters"]
    late = letters[2]["posting"]["sender"]
    known = {late: "the last"}
    told = [
        (known.get(sent["sender"], sent["sender"]), known.get(sent["recipient"], sent["recipient"]), letter["reason"])
        for letter in letters
        for sent in [letter["posting"]]
    ]
    assert told == [
        ("mfa", "minekonom", ""),
        ("natstatkom", "the last", ""),
        ("the last", "prezident", ""),
        ("the last", "prezident", "paper-not-taken"),
        ("the last", "minjust", ""),
        ("prezident", "the last", ""),
        ("ak-bulun", "prezident", ""),
        ("minjust", "the last", ""),
        ("the last", "minjust", ""),
        ("minjust", "the last", "paper-not-taken"),
        ("the last", "minjust", "paper-not-sent"),
        ("minjust", "the last", ""),
        ("the last", "prezident", ""),
    ]
    assert [letter["by_paper"] for letter in letters[-2:]] == [False, False], "connected on 4 April"
    assert "from 2022-03-01" in letters[3]["detail"]
    assert "from 2022-04-01" in letters[9]["detail"]


def test_the_tables_for_people() -> None:
    """The source's figures beside ours, each letter with its verdict, and where both differ."""
    counts = tuple(count_roll_out([], {}, day) for day in SHOWN_DAYS)
    first, second, *_ = postings("ayil-08-223-868")
    refused = Posted(second, by_paper=True, reason="paper-not-taken", detail="'x' takes none")
    letters = (Posted(first, by_paper=False, reason="", detail=""), refused)
    page = StringIO()
    render(RollOutStory(counts, letters, versions=67, bodies=994), Console(width=120, file=page))
    shown = page.getvalue()
    assert "400 of 452; 941 bodies" in shown
    assert "2022-01-10 12:00:00  mfa         minekonom        electronic  accepted" in shown
    assert "paper       paper-not-taken: 'x' takes none" in shown
    assert "the source 452" in shown
    assert "994 bodies, 67 versions" in shown
