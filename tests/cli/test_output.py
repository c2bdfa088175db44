"""How commands speak to programs and to people."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from exchange.cli.exits import Exit, exit_code
from exchange.cli.output import Output, plain
from exchange.cli.words import lasted, local, short
from exchange.domain.delivery import State
from exchange.domain.errors import BusError, ConfigurationError, EmbeddedError, ExchangeError, SpoolError


@dataclass(frozen=True)
class Sample:
    """Something to show."""

    state: State
    digest: bytes
    at: datetime
    more: tuple[Path, ...]


SAMPLE = Sample(State.REGISTERED, b"\xab\xcd", datetime(2022, 1, 20, 12, tzinfo=UTC), (Path("/a"),))


def test_values_become_plain() -> None:
    """Bytes in hexadecimal, times in ISO 8601, enumerations and paths as text."""
    assert plain({"one": SAMPLE, State.REFUSED: [1, None, True]}) == {
        "one": {"state": "registered", "digest": "abcd", "at": "2022-01-20T12:00:00+00:00", "more": ["/a"]},
        "refused": [1, None, True],
    }


def test_results_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """One object with `ok` and `result`, and nothing on standard error."""
    output = Output(as_json=True)
    with output.doing("something") as tell:
        tell("something else")
    with pytest.raises(typer.Exit) as ended:
        output.verdict(SAMPLE, lambda console: console.print("not for programs"), ok=False)
    assert ended.value.exit_code == Exit.FOUND
    told = capsys.readouterr()
    assert json.loads(told.out)["ok"] is False
    assert json.loads(told.out)["result"]["state"] == "registered"
    assert told.err == ""


def test_results_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The result on standard output, progress and errors on standard error; no text turns into an emoji."""
    output = Output(as_json=False)
    with output.doing("reading [a]") as tell:
        tell("half done")
    output.result(SAMPLE, lambda console: console.print("sev:Date: not a valid date"))
    output.error(ExchangeError("no [/] such thing: look again", code="some-code"))
    told = capsys.readouterr()
    assert told.out == "sev:Date: not a valid date\n"
    assert told.err == "reading [a]\nhalf done\nerror[some-code]: no [/] such thing: look again\n"


def test_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    """Escapes, directions and line ends that a stranger wrote: spaces for people, references for programs."""
    hostile = "a\x1b[2J\x9b2J\u202eb\u2028c\x7f"
    Output(as_json=False).error(ExchangeError(f"{hostile}\nlook again", code="some-code"))
    assert capsys.readouterr().err == "error[some-code]: a [2J 2J b c \nlook again\n"
    Output(as_json=True).result(hostile, lambda _console: None)
    told = capsys.readouterr().out
    assert json.loads(told)["result"] == hostile
    assert told.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), Exit.CONFIGURATION),
        (BusError("x", retriable=False), Exit.UNAVAILABLE),
        (EmbeddedError("x"), Exit.UNAVAILABLE),
        (SpoolError("x", retriable=True), Exit.UNAVAILABLE),
        (SpoolError("x"), Exit.FOUND),
        (ExchangeError("x"), Exit.FOUND),
    ],
)
def test_exit_codes(error: ExchangeError, code: Exit) -> None:
    """By kind of error, not by each code."""
    assert exit_code(error) is code


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(milliseconds=35.4), "35 ms"),
        (timedelta(seconds=2.44), "2.4 s"),
        (timedelta(seconds=35), "35 s"),
        (timedelta(minutes=14), "14 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=9), "9 d"),
    ],
)
def test_spans_are_said_as_people_say_them(span: timedelta, words: str) -> None:
    """Two digits are enough."""
    assert lasted(span) == words


def test_digests_and_times_are_short() -> None:
    """Enough to name and to compare."""
    assert short(bytes(32)) == "0" * 8
    assert len(local(SAMPLE.at)) == len("2022-01-20 12:00:00")
    assert local(datetime.max.replace(tzinfo=UTC)).startswith("9999-12-31")
