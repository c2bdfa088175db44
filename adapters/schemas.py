"""The JSON Schemas in `schemas/json/`: made from the types that read what they describe (`make schemas`)."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from adapters import profile
from adapters.formats.json_profile import documents
from adapters.formats.staff import records


def of_documents(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON Schema of a type of document; members that it does not name are allowed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))  # no tuples
    return plain


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = MappingProxyType(
    {
        "profile.json": profile.json_schema,
        "letter.json": partial(of_documents, documents.Letter),
        "receipt.json": partial(of_documents, documents.Receipt),
        "staff.json": partial(of_documents, records.Staff),
        "staff-letter.json": partial(of_documents, records.StaffLetter),
    }
)
"""What makes each file."""


def write(folder: Path) -> None:
    """Write them all into `folder`."""
    for name, schema in SCHEMAS.items():
        text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path("schemas/json"))
