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
from tests.golden.write import as_json, golden_files, missing, registered, schema_files, sha256
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


def test_schema_files_are_named_after_what_they_hold() -> None:
    """`<id>-<name>-v<version>.avsc`: id in four digits, name as the record's, in the exchange's namespace."""
    for path in schema_files().values():
        number, *words, version = path.stem.split("-")
        schema = json.loads(path.read_text(encoding="utf-8"))
        assert "".join(word.capitalize() for word in words) == schema["name"]
        assert (len(number), version[0], schema["namespace"]) == (4, "v", "kg.exchange")


def test_nothing_is_missing() -> None:
    """Every schema that is written today has its golden records (`make golden` adds them)."""
    assert set(SAMPLES) == set(records.SCHEMA_IDS)
    assert [path.name for path, _ in missing()] == []


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.name)
def test_todays_code_reads_and_writes_exactly_the_golden_record(path: Path) -> None:
    """The bytes decode to what the JSON beside them says, and encode to the same bytes."""
    data = path.read_bytes()
    kind: type = records.kind_of(data)
    value: object = records.decode(kind, data)
    assert as_json(value) == path.with_suffix(".json").read_text(encoding="utf-8")
    assert records.encode(value) == data


@pytest.mark.parametrize(("reader", "writer"), PAIRS, ids=lambda schema: str(schema.id))
def test_full_transitive_compatibility(reader: avro.Schema, writer: avro.Schema) -> None:
    """Each version of a record reads each other version's, older and newer, golden records included."""
    assert obstacles(json.loads(reader.text), json.loads(writer.text)) == []
    for data in (path.read_bytes() for path in golden_files()):
        if avro.schema_id_of(data) == writer.id:
            body = io.BytesIO(data[avro.FRAME_BYTES :])
            found: Any = fastavro.schemaless_reader(body, writer.parsed, reader.parsed)
            assert set(found) == {field["name"] for field in json.loads(reader.text)["fields"]}
