"""The keeper who is to approve sees what is signed, and signs that and nothing else, once."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.domain.directory import BodyStatus, Contact, Names
from exchange.security.directory.draft import Draft
from exchange.security.keys import load_private_key
from tests.cli.directory.place import Place
from tests.cli.directory.test_keepers import draft, enter
from tests.cli.directory.test_looking import MARKUP

__all__ = ["draft"]
"""Fixture of keepers."""


def sha256(file: str) -> str:
    """Of what is signed with a draft."""
    return Draft.decode(Path(file).read_bytes()).digest.hex()


def approve(place: Place, draft: str, typed: str) -> Result:
    """By the second keeper, who types."""
    keys = ("--key", place.keeper(1), "--clock", place.clock, "--config", str(place.config))
    return CliRunner().invoke(app, ["directory", "approve", draft, *keys], input=typed)


def test_it_is_shown_and_asked_before_it_is_signed(place: Place, draft: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal; a no signs nothing."""
    monkeypatch.setattr("exchange.cli.directory.approving.at_terminal", lambda: True)
    enter(place, draft, "suspend", "mfa")
    refused = approve(place, draft, "n\n")
    assert refused.exit_code == 1
    assert place.status("mfa") is BodyStatus.CONNECTED
    done = approve(place, draft, "y\n")
    change, question = done.stdout.index("status: connected → suspended"), done.stdout.index("Sign this?")
    assert change < done.stdout.index(f"SHA-256 of the draft: {sha256(draft)}") < question
    assert place.status("mfa") is BodyStatus.SUSPENDED


def test_the_draft_that_was_agreed_on(place: Place, draft: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its SHA-256, which signatures do not change: another one is not signed, and nobody is asked."""
    monkeypatch.setattr("exchange.cli.directory.approving.at_terminal", lambda: True)
    enter(place, draft, "suspend", "mfa")
    told = sha256(draft)
    assert told in place.run("draft", draft).stdout
    other = place.run("approve", draft, "--key", place.keeper(1), "--digest", f"{told[:-1]}x")
    assert other.stderr.startswith("error[draft-differs]")
    signed = Draft.decode(Path(draft).read_bytes()).signed(load_private_key(Path(place.keeper(1))))
    assert signed.digest.hex() == told
    done = place.run("approve", draft, "--key", place.keeper(1), "--digest", told[:16].upper())
    assert "version 2 is complete" in done.stdout


def test_approved_twice(place: Place, draft: str) -> None:
    """It is told that it is there, whatever came into force since, and its file may be used again."""
    enter(place, draft, "suspend", "mfa")
    approved = Path(draft).read_bytes()
    for _ in range(2):
        place.run("approve", draft, "--key", place.keeper(1), "--clock", place.clock)
        for command in (("draft", draft), ("approve", draft, "--key", place.keeper(1))):
            assert place.run(*command).stderr.startswith("error[draft-in-force]: this draft was approved")
        enter(place, draft, "resume" if place.status("mfa") is BodyStatus.SUSPENDED else "suspend", "mfa")
    Path(draft).write_bytes(approved)
    assert place.run("draft", draft).stderr.startswith("error[draft-in-force]")
    assert place.folder.latest().version == 3


def test_every_field_in_words(place: Place) -> None:
    """Names by language, people each on a line of their own; a stranger's text makes no line."""
    before = place.folder.latest().bodies["mfa"]
    names = Names(before.names.ky, "МИД\n  status: connected", before.names.en)
    contacts = (Contact("IT", MARKUP, "it@mfa.example", ""), Contact("head", "Айгүл", "", "+996"))
    after = replace(before, names=names, contacts=contacts, inbound_origin=bytes(16))
    place.change(after)
    shown = place.run("history", "mfa").stdout
    assert "Names(" not in shown
    assert "Contact(" not in shown
    lines = shown.splitlines()
    assert f"  names.ru: {before.names.ru} → МИД   status: connected" in lines
    assert [line for line in lines if line.startswith("    + ")][:2] == [
        "    + IT, [/x][red] one [2J, it@mfa.example",
        "    + head, Айгүл, +996",
    ]
    assert f"  inbound_origin: nothing → {bytes(16).hex()}" in lines
