"""Histories: what was written is what is read, in the order of time."""

from pathlib import Path

from tests.chaos.history import (
    Answered,
    Arrived,
    FaultBegan,
    FaultEnded,
    Forgotten,
    HandedIn,
    Heard,
    Line,
    Outcome,
    Recorder,
    Settled,
    read_history,
)

LINES: list[Line] = [
    HandedIn(1.5, "mfa", "m-1", ("minjust", "kyzmat"), Outcome.ACKNOWLEDGED),
    HandedIn(2.0, "mfa", "письмо", ("nobody",), Outcome.REFUSED, "recipient-unknown"),
    FaultBegan(2.5, 1, "kill", "router-1", 42),
    Arrived(3.0, "minjust", 1, "m-1", "mfa", bytes(range(32))),
    Answered(4.0, "minjust", bytes(range(32)), "registered", "01-5", Outcome.UNKNOWN, "spool-full"),
    FaultEnded(5.0, 1),
    Settled(6.0, "mfa", "m-1", bytes(range(32)), "taken"),
    Heard(7.0, "mfa", "m-1", "minjust", "registered", "01-5"),
    Forgotten(8.0, "mfa", "m-1"),
]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Every kind of line, from several files, added to after they were closed."""
    paths = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for number, line in enumerate(LINES):
        with Recorder(paths[number % 2]) as history:
            history.write(line)
    assert read_history(paths) == LINES
