"""Golden records and released schemas: what was written once is read for ever (rule 1.8)."""

import io
import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import fastavro
import pytest

from exchange.wire import avro, records
from tests.golden.samples import SAMPLES
from tests.golden.write import as_json, golden_files, missing, plain, registered, schema_files, sha256, unsaid
from tests.wire.resolution import obstacles


def versions() -> dict[str, list[avro.Schema]]:
    """All released schemas by record name, oldest first."""
    found: dict[str, list[avro.Schema]] = defaultdict(list)
    for schema in avro.schemas().values():
        found[schema.name].append(schema)
    return found


PAIRS = [pair for same in versions().values() for pair in itertools.product(same, repeat=2)]


def test_released_schemas_never_change() -> None:
    """Every schema file is registered, and its bytes are those that were registered."""
    assert {path.name: sha256(path) for path in schema_files().values()} == registered()


@pytest.mark.parametrize("cls", records.VERSIONS)
def test_schema_files_are_named_after_what_they_hold(cls: type) -> None:
    """`<id>-<name>-v<version>.avsc`: id in four digits, name as the class's, versions counted from 1."""
    files = schema_files()
    for version, schema_id in enumerate(records.VERSIONS[cls], start=1):
        number, *words, counted = files[schema_id].stem.split("-")
        schema = json.loads(files[schema_id].read_text(encoding="utf-8"))
        assert "".join(word.capitalize() for word in words) == schema["name"] == cls.__name__
        assert (len(number), counted, schema["namespace"]) == (4, f"v{version}", "kg.exchange")


def test_nothing_is_missing() -> None:
    """Every schema that is written today has its golden records (`make golden` adds them)."""
    assert set(SAMPLES) == set(records.VERSIONS)
    assert [path.name for path, _ in missing()] == []


def test_golden_records_say_every_field() -> None:
    """A golden record that leaves a field at its default proves nothing of it."""
    assert list(unsaid()) == []


def by_fastavro(data: bytes, writer: avro.Schema, reader: avro.Schema) -> Any:
    """What an independent library reads, with Avro's own rules for another version."""
    return fastavro.schemaless_reader(io.BytesIO(data[avro.FRAME_BYTES :]), writer.parsed, reader.parsed)


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.name)
def test_golden_records_are_what_the_json_beside_them_says(path: Path) -> None:
    """Read with the schema that they name, by an independent library."""
    data = path.read_bytes()
    writer = avro.schemas()[avro.schema_id_of(data)]
    assert as_json(by_fastavro(data, writer, writer)) == path.with_suffix(".json").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.name)
def test_todays_code_reads_every_golden_record(path: Path) -> None:
    """As Avro's rules have it: a field that the writer did not know has its default, in the class as in the schema."""
    data = path.read_bytes()
    kind: type = records.kind_of(data)
    value: object = records.decode(kind, data)
    writer, newest = (avro.schemas()[found] for found in (avro.schema_id_of(data), records.VERSIONS[kind][-1]))
    assert plain(value) == plain(by_fastavro(data, writer, newest))
    assert records.version_of(kind, writer).write(value) == data


@pytest.mark.parametrize(("reader", "writer"), PAIRS, ids=lambda schema: str(schema.id))
def test_full_transitive_compatibility(reader: avro.Schema, writer: avro.Schema) -> None:
    """Each version of a record reads each other version's, older and newer, golden records included."""
    assert obstacles(json.loads(reader.text), json.loads(writer.text)) == []
    for data in (path.read_bytes() for path in golden_files()):
        if avro.schema_id_of(data) == writer.id:
            found = by_fastavro(data, writer, reader)
            assert set(found) == {field["name"] for field in json.loads(reader.text)["fields"]}
