"""Profiles: one file says how a document system is connected."""

import tomllib
from pathlib import Path

import jsonschema
import pytest

from adapters.connectors.folder import FolderConnector
from adapters.formats import FORMATS
from adapters.profile import json_schema, read_profile
from exchange.agent.ports import Package
from exchange.domain.errors import ConfigurationError
from exchange.domain.event import Event
from exchange.resources import resource
from tests.adapters.support import DIRECTORY, DRAFT, MACHINE, arrived, receipt, receipt_of

READY = sorted(resource("config", "agents").glob("*.toml"))
PROFILE = 'format = "medo-2.6"\n[connector]\nkind = "folder"\npath = "edms/{body}"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a profile is written."""
    return tmp_path / "edms.toml"


@pytest.mark.parametrize("ready", READY, ids=lambda ready: ready.stem)
def test_ready_profiles_are_profiles(ready: Path) -> None:
    """Each can be read, is a dozen lines or so, and is what the editors' schema describes."""
    read_profile(ready).open_format()
    assert len(ready.read_text(encoding="utf-8").splitlines()) <= 24
    jsonschema.validate(tomllib.loads(ready.read_text(encoding="utf-8")), json_schema())


def test_what_the_schema_refuses_is_refused(file: Path) -> None:
    """Editors and the exchange agree on what is wrong."""
    for wrong in (
        'format = "medo-2.6"\n',
        PROFILE + 'speed = "high"\n',
        PROFILE + '[receipts]\nregistered = "refused"\n',
    ):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(ConfigurationError):
            read_profile(file)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(PROFILE + 'speed = "high"\n'), json_schema())


def test_many_bodies_share_one_profile(file: Path) -> None:
    """Each has a folder of its own; relative paths begin at the file."""
    file.write_text(PROFILE, encoding="utf-8")
    profile = read_profile(file)
    assert profile.folder("mfa") == file.parent / "edms" / "mfa"
    assert isinstance(profile.open_connector("mfa", MACHINE), FolderConnector)
    assert (file.parent / "edms" / "mfa" / "out").is_dir()


def test_a_format_has_options(file: Path) -> None:
    """A table instead of the name."""
    file.write_text(PROFILE.replace('"medo-2.6"', '{ name = "medo-2.6", encoding = "windows-1251" }'), encoding="utf-8")
    package = read_profile(file).open_format().render_letter(arrived(DRAFT), DRAFT.recipients[0], DIRECTORY)
    assert b"encoding='windows-1251'" in package.files["document.xml"].lower()[:60].replace(b'"', b"'")


def test_receipts_are_told_as_the_profile_says(file: Path) -> None:
    """By another word, not at all, or as they are."""
    file.write_text(PROFILE + '[receipts]\nexpired = "not-delivered"\ndelivered = "nothing"\n', encoding="utf-8")
    mapped, plain = read_profile(file).open_format(), FORMATS["medo-2.6"]
    told = {event: mapped.render_receipt(receipt(event, DRAFT), "mfa", DIRECTORY) for event in Event}
    assert told[Event.DELIVERED] is None
    assert plain.render_receipt(receipt(Event.EXPIRED, DRAFT), "mfa", DIRECTORY) is None
    expired = told[Event.EXPIRED]
    assert expired is not None
    assert "Квитанция" in expired.files["document.xml"].decode()
    assert told[Event.REGISTERED] == plain.render_receipt(receipt(Event.REGISTERED, DRAFT), "mfa", DIRECTORY)


def test_words_are_understood_as_the_profile_says(file: Path) -> None:
    """An EDMS that says progress where others name an executor."""
    file.write_text(PROFILE + '[understood]\nregistered = "progress"\n', encoding="utf-8")
    fmt = read_profile(file).open_format()
    written = fmt.render_receipt(receipt(Event.REGISTERED, DRAFT), "mfa", DIRECTORY)
    assert written is not None
    assert receipt_of(fmt.parse(Package("r", written.files), DIRECTORY)).event is Event.PROGRESS


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ('format = "medo-9"\n', "format-unknown", r"\[format\] name: no 'medo-9': choose one of .*medo-2\.6"),
        ("format = 3\n", "configuration-invalid", r"\[format\] name is missing"),
        ('format = "medo-2.6"\n', "configuration-invalid", r"\[connector\] kind is missing: choose one of .*folder"),
        (PROFILE.replace("folder", "pigeon"), "connector-unknown", "no 'pigeon'"),
        (PROFILE.replace("path", "paht"), "configuration-invalid", r"\[connector\] of folder: .*paht"),
        (PROFILE.replace('"edms/{body}"', "7"), "configuration-invalid", r"Expected `str`, got `int` - at `\$\.path`"),
        (PROFILE + "[limits]\n", "configuration-invalid", "limits is not known here"),
        (PROFILE + "[receipts]\nlost = 'refused'\n", "configuration-invalid", r"\[receipts\] lost is no event"),
        (PROFILE + "[receipts]\nregistered = 'refused'\n", "configuration-invalid", "cannot be taken for 'refused'"),
        (PROFILE + "[understood]\nprogress = 'accepted'\n", "configuration-invalid", "cannot be taken for 'accepted'"),
        (PROFILE + "[understood]\nprogress = 'nothing'\n", "configuration-invalid", "cannot be taken for 'nothing'"),
        ("receipts = 3\n" + PROFILE, "configuration-invalid", r"\[receipts\] is no table"),
        ("format = ", "configuration-unreadable", "no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, code: str, told: str, file: Path) -> None:
    """File, table and key, and what to write instead."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=told) as caught:
        read_profile(file)
    assert caught.value.code == code
    assert str(file) in str(caught.value)


def test_a_missing_profile_is_named(file: Path) -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError, match="name the profile"):
        read_profile(file)
