"""Whose disagreement stops what: a table of policies, and what is kept of it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from exchange import system
from exchange.services.archive.disputes import Disputes
from exchange.services.witnessing import Answer, Outcome
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.policy import Group, LogPolicy, Seen
from tests.services.archive.stage import JURY, KEY

LOG = Signer("exchange/5f", Kind.NOTE, KEY)
CHECKPOINT = Checkpoint("exchange/5f", 7, bytes(32))
NOTE = Note(str(CHECKPOINT), (LOG.sign(str(CHECKPOINT)),))


def policy(enough: int, of: int) -> LogPolicy:
    """So many of the first ones; 0: nobody's word is needed."""
    names = tuple(witness.name for witness in JURY[:of])
    groups = {"enough": Group(enough, names)} if enough else {}
    return LogPolicy(LOG.verifier, JURY[:of], groups, "enough" if enough else "none")


def disputes(folder: Path, asked: LogPolicy, said: Sequence[Outcome]) -> tuple[Disputes, Seen]:
    """What was heard, and the checkpoint as it then is."""
    heard = Disputes(asked, folder, system.now)
    heard.hear(NOTE, [Answer(f"w{at}", outcome, detail="told") for at, outcome in enumerate(said)])
    cosigned = {f"w{at}": 1 for at, outcome in enumerate(said) if outcome is Outcome.COSIGNED}
    return heard, Seen(CHECKPOINT, cosigned, witnessed=False)


AGAINST, YES, AWAY, INVALID = Outcome.FORKED, Outcome.COSIGNED, Outcome.AWAY, Outcome.INVALID


@pytest.mark.parametrize(
    ("asked", "said", "stops"),
    [
        (policy(2, 3), (YES, YES, YES), False),
        (policy(2, 3), (AGAINST, YES, YES), False),
        (policy(2, 3), (AGAINST, YES, AWAY), True),
        (policy(2, 3), (AGAINST, YES, INVALID), True),
        (policy(2, 3), (AGAINST, AGAINST, YES), True),
        (policy(2, 3), (AWAY, AWAY, AWAY), False),
        (policy(2, 3), (INVALID, INVALID, INVALID), False),
        (policy(1, 2), (AGAINST, YES), True),
        (policy(2, 2), (AGAINST, YES), False),
        (policy(1, 1), (AGAINST,), True),
        (policy(3, 3), (AGAINST, AWAY, AWAY), True),
        (policy(3, 3), (AGAINST, YES, AWAY), False),
        (policy(0, 1), (AGAINST,), True),
        (policy(0, 1), (AWAY,), False),
    ],
)
def test_what_stops(tmp_path: Path, asked: LogPolicy, said: Sequence[Outcome], *, stops: bool) -> None:
    """A rival that cannot count for anybody stops nothing; one that may have counted does, whoever is away."""
    heard, seen = disputes(tmp_path, asked, said)
    assert bool(heard.stop(seen)) == stops


def test_who_cosigns_disagrees_no_more(tmp_path: Path) -> None:
    """Who is away meanwhile still does."""
    heard, seen = disputes(tmp_path, policy(1, 1), (Outcome.ROLLED_BACK,))
    heard.hear(NOTE, [Answer("w0", AWAY)])
    assert "rolled-back: told" in heard.stop(seen)
    heard.hear(NOTE, [Answer("w0", YES)])
    assert heard.stop(seen) == ""


def test_what_was_said_is_kept_once(tmp_path: Path) -> None:
    """The first of each kind; a witness that goes on and on fills no disk."""
    heard, _ = disputes(tmp_path, policy(2, 3), (AGAINST, Outcome.ROLLED_BACK, YES))
    kept = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*") if file.is_file())
    assert kept == [
        f"disputes/{name}/{file}"
        for name in ("w0-forked", "w1-rolled-back")
        for file in ("asked.checkpoint", "why.txt")
    ]
    assert (tmp_path / "disputes/w0-forked/asked.checkpoint").read_text() == str(NOTE)
    why = (tmp_path / "disputes/w0-forked/why.txt").read_text()
    heard.hear(NOTE, [Answer("w0", AGAINST, detail="another")])
    assert (tmp_path / "disputes/w0-forked/why.txt").read_text() == why
    assert why.endswith("witness w0\ntold\n")
