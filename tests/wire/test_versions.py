"""A record in two versions: a letter's card as it is, and as it would be with one field more (rule 1.8)."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from exchange.domain.card import LetterCard
from exchange.domain.errors import WireError
from exchange.wire import avro, records
from exchange.wire.canonical import codec
from tests.golden.samples import LETTER_CARD

ROOT = Path(__file__).parents[2]
TODAY = avro.schemas()[records.VERSIONS[LetterCard][-1]]
TOMORROW_ID = 9020
ADDED = {"name": "added", "type": "string", "default": ""}
SAID = [(field.name, field.type) for field in dataclasses.fields(LetterCard)]
"""Fields of today's card."""

Tomorrow = dataclasses.make_dataclass("LetterCard", [("added", str, "")], bases=(LetterCard,), frozen=True, slots=True)


def with_added_field(schema: avro.Schema) -> dict[str, Any]:
    """The JSON of a schema with a field behind its last field."""
    record: dict[str, Any] = json.loads(schema.text)
    return record | {"fields": [*record["fields"], ADDED]}


def with_values(**more: str) -> object:
    """Tomorrow's card that says what today's sample says, and more."""
    said: Mapping[str, Any] = {name: getattr(LETTER_CARD, name) for name, _ in SAID}
    return Tomorrow(**said, **more)


OLD = records.version_of(Tomorrow, TODAY)
NEW = records.version_of(Tomorrow, dataclasses.replace(TODAY, id=TOMORROW_ID, text=json.dumps(with_added_field(TODAY))))


def test_what_an_older_version_wrote_is_read_with_the_default() -> None:
    """Nobody said anything in a field that they did not know."""
    assert OLD.read(records.encode(LETTER_CARD)) == with_values() == with_values(added="")


def test_a_newer_version_says_more() -> None:
    """Each version has its id, and is read by its own schema alone."""
    value = with_values(added="4700001")
    data = NEW.write(value)
    assert (avro.schema_id_of(data), NEW.read(data)) == (TOMORROW_ID, value)
    assert data[avro.FRAME_BYTES :] == OLD.write(value)[avro.FRAME_BYTES :] + b"\x0e4700001"
    with pytest.raises(WireError, match="bytes left over"):
        OLD.read(data)


def test_who_does_not_know_the_newer_version_says_so() -> None:
    """It is not guessed at: no part of it is taken for an older one."""
    with pytest.raises(WireError, match="schema id 9020 is not known here") as caught:
        records.decode(LetterCard, NEW.write(with_values()))
    assert caught.value.code == "schema-unknown"


def test_a_new_field_has_a_default() -> None:
    """Else what older versions wrote could not be read; found when the codec is made."""
    bare = dataclasses.make_dataclass("LetterCard", [*SAID, ("added", str)])
    with pytest.raises(TypeError, match=r"LetterCard\.added needs a default"):
        codec(bare, json.loads(TODAY.text), most_items=1)


def test_a_new_field_stands_at_the_end() -> None:
    """Each version begins with all of the one before."""
    schema = with_added_field(TODAY)
    with pytest.raises(TypeError, match="LetterCard and its schema differ"):
        codec(Tomorrow, schema | {"fields": [ADDED, *schema["fields"][:-1]]}, most_items=1)


def copy_of_the_project(folder: Path) -> None:
    """What a developer changes, to be changed without harm."""
    for part in ("adapters", "config", "exchange", "schemas", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def change(path: Path, old: str, new: str, behind: str = "") -> None:
    """Edit a file at its first `old` behind `behind`."""
    before, mark, after = path.read_text(encoding="utf-8").partition(behind or "\n")
    assert old in after, f"{path.name} has no {old!r}"
    path.write_text(before + mark + after.replace(old, new, 1), encoding="utf-8")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the copy, which it finds before the project."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_adding_a_field_to_the_card_as_the_design_page_says(tmp_path: Path) -> None:
    """`docs/design.md`, "Adding a field to the card": its four places, and all golden records hold, old and new."""
    copy_of_the_project(tmp_path)
    released = records.VERSIONS[LetterCard]
    card = tmp_path / "exchange" / "domain" / "card.py"
    last = "    personal_data: bool = False\n"
    change(card, last, f'{last}    added: str = ""\n', behind="class LetterCard:")
    change(
        tmp_path / "exchange" / "wire" / "records.py",
        f"LetterCard: {released}",
        f"LetterCard: {(*released, TOMORROW_ID)}",
    )
    schema = tmp_path / "schemas" / "avro" / f"{TOMORROW_ID}-letter-card-v{len(released) + 1}.avsc"
    schema.write_text(json.dumps(with_added_field(TODAY)), encoding="utf-8")
    assert "LetterCard.added" in run(tmp_path, "tests.golden.write").stderr
    samples = tmp_path / "tests" / "golden" / "samples.py"
    mark = 'extras=(Extra("document/specialMark", "Контроль"),),'
    change(samples, mark, f'{mark} added="4700001",')
    assert run(tmp_path, "tests.golden.write").stdout.splitlines() == [
        f"wrote {schema.stem}.avro",
        f"wrote {schema.stem}.bare.avro",
    ]
    tracked = "tests/journal/test_facts.py::test_accepted_letter"
    checked = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "tests/wire/test_golden.py", tracked)
    assert checked.returncode == 0, checked.stdout
