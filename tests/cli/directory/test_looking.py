"""`exchange directory`: who is in the exchange, found by any name, with every change of an entry."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from exchange.domain.directory import Body, BodyStatus, Change, Contact, Paper
from exchange.domain.ids import ZERO_DIGEST
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.speakers import SERVICES
from tests.cli.directory.place import NOW, Place

MARKUP = "[/x][red] one\x1b[2J"


def codes(found: dict[str, object]) -> list[str]:
    """Codes of the bodies in an answer."""
    bodies = found["bodies"]
    assert isinstance(bodies, list)
    return [body["code"] for body in bodies]


def test_lists_who_is_there(place: Place) -> None:
    """All bodies with their status; fewer when asked for fewer; and which version that is."""
    everybody = [*SERVICES, *(body.code for body in demo_bodies())]
    found = place.found("list")
    assert sorted(codes(found)) == sorted(everybody)
    assert found["version"] == 1
    mfa = place.folder.latest().bodies["mfa"]
    place.change(replace(mfa, status=BodyStatus.SUSPENDED))
    assert codes(place.found("list", "--status", "suspended")) == ["mfa"]
    assert "mfa" in codes(place.found("list", "--kind", mfa.kind))
    shown = place.run("list").stdout
    assert "suspended" in shown
    assert f"{len(everybody)} bodies; version 2" in shown


def test_a_stale_directory_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lists the bodies sees that nobody vouches for the list any more."""
    assert "overdue" not in place.run("list").stdout
    monkeypatch.setattr("exchange.system.now", lambda: NOW + timedelta(days=2))
    assert "its timestamp is overdue" in place.run("list").stdout


def test_finds_bodies_as_people_spell_them(place: Place) -> None:
    """By any of the names, by code, by identifier; nobody is an exit code."""
    assert codes(place.found("search", "mfa")) == ["mfa"]
    mfa = place.folder.latest().bodies["mfa"]
    for words in (mfa.names.ky, mfa.names.ru, mfa.names.en, mfa.uids[0]):
        assert "mfa" in codes(place.found("search", *words.split()))
    assert place.run("search", "nobody-at-all").exit_code == 1


def test_shows_a_body(place: Place) -> None:
    """Names, contacts, certificates; a stranger's text commands no terminal; an unknown code says what to do."""
    mfa = place.folder.latest().bodies["mfa"]
    changed = replace(mfa, contacts=(Contact("IT", MARKUP, "it@mfa.example", ""),), systems=(MARKUP,))
    place.change(replace(changed, paper=Paper(date(2022, 3, 1), None)))
    shown = place.run("show", "mfa").stdout
    assert "taken until 2022-03-01, not sent" in shown
    assert mfa.names.ky in shown
    assert "statement: CN=mfa" in shown
    assert "[/x][red] one" in shown
    assert "\x1b" not in shown
    unknown = place.run("show", "nobody")
    assert unknown.exit_code == 3
    assert "error[body-unknown]" in unknown.stderr
    assert "exchange directory search" in unknown.stderr


def test_tells_every_change(place: Place) -> None:
    """Each entry with who entered and who approved it; one that was altered since is found out."""
    before = place.folder.latest().entries["mfa"]
    assert place.run("suspend", "mfa", "--reason", "the key was lost", *place.keys()).exit_code == 0
    shown = place.run("history", "mfa").stdout.splitlines()
    assert shown[0].startswith("version 2, change 2 of ")
    assert "suspended by keeper-1, approved by keeper-2: the key was lost" in shown[0]
    assert shown[1] == "  status: connected → suspended"
    assert shown[2] == "version 1, connected: listed when the exchange was founded"
    assert "  kind: ministry" in shown[3:]
    (entry,) = (place.folder.folder / "bodies").glob(f"{before.hex()}.*")
    entry.write_bytes(entry.read_bytes() + b" ")
    assert "error[directory-file-differs]" in place.run("history", "mfa").stderr


def test_a_body_s_first_change_has_none_before(place: Place) -> None:
    """Its history ends there, whatever else its list says of others."""
    newcomer = Body("newcomer", place.folder.latest().bodies["mfa"].names, "agency", BodyStatus.PLANNED)
    place.change(replace(newcomer, change=Change(1, ZERO_DIGEST, NOW, "keeper-1", "planned")))
    assert place.run("suspend", "mfa", "--reason", "r", *place.keys()).exit_code == 0
    assert place.run("history", "newcomer").stdout.count("planned by keeper-1, approved by keeper-2: planned") == 1


def test_previews_a_group(place: Place) -> None:
    """Who would get a circular, how many they are, and who is left out; a slip is named."""
    mfa = place.folder.latest().bodies["mfa"]
    place.change(replace(mfa, status=BodyStatus.SUSPENDED))
    everybody = {body.code for body in demo_bodies()}
    found = place.found("group", "all, -minjust", "--from", "prezident")
    assert found["version"] == 2
    recipients, unreachable = found["recipients"], found["unreachable"]
    assert isinstance(recipients, list)
    assert isinstance(unreachable, list)
    assert {member["code"] for member in recipients} == everybody - {"mfa", "minjust", "prezident"}
    assert [member["code"] for member in unreachable] == ["mfa"]
    shown = place.run("group", "kind:ministry").stdout
    assert "left out: mfa, suspended" in shown
    assert "by version 2, 1 of the group cannot be written to" in shown
    assert "error[recipient-unknown]" in place.run("group", "kind:minstry").stderr
    assert "error[group-invalid]: group, character 6" in place.run("group", "mfa, Minjust").stderr
