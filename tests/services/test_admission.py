"""An agent that is started before its body is let in waits, says why, and goes on by itself."""

import asyncio
from dataclasses import replace

import pytest

from exchange.domain.directory import BodyStatus
from exchange.security.errors import KeyRefused
from exchange.services import admission
from exchange.services.admission import Admission, not_admitted
from tests.patience import PATIENCE
from tests.security.support import body, certify_root, directory

ROOT = certify_root()


@pytest.mark.parametrize("status", BodyStatus)
def test_who_is_testing_or_connected_is_let_in(status: BodyStatus) -> None:
    """All others are told what the directory says of them."""
    told = not_admitted(directory(ROOT, replace(body("mfa"), status=status)), ["mfa"])
    assert told == (
        ""
        if status in {"testing", "connected"}
        else f"mfa to be let in: version 1 of the directory lists it as {status}"
    )


def test_one_of_several_is_enough() -> None:
    """A gateway does not stand still for a body that is not in yet."""
    listed = directory(ROOT, body("mfa"))
    assert not_admitted(listed, ["newcomer", "mfa"]) == ""
    assert not_admitted(listed, ["newcomer"]) == "newcomer to be let in: version 1 of the directory does not list it"


async def test_waits_until_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says meanwhile what is."""
    monkeypatch.setattr(admission, "LOOK_SECONDS", 0.001)
    answers = ["its certificates", "the directory", ""]
    gate = Admission(lambda: answers.pop(0))
    assert gate.waiting_for
    async with asyncio.timeout(PATIENCE):
        await gate.wait()
    assert (gate.waiting_for, answers) == ("", [])


async def test_what_is_wrong_ends_it() -> None:
    """A key that others can read is not waited for."""

    def look() -> str:
        raise KeyRefused("exposed", code="key-file-exposed")

    with pytest.raises(KeyRefused):
        await Admission(look).wait()
