"""Whether a reader with one schema can read what a writer with another wrote (Avro 1.12, "Schema resolution").

Stricter than Avro in one thing: a reader must know every symbol of the writer's enums, since a
default symbol would silently change what was signed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Named = dict[str, Any]

PROMOTIONS = {
    "int": {"int", "long", "float", "double"},
    "long": {"long", "float", "double"},
    "float": {"float", "double"},
    "string": {"string", "bytes"},
    "bytes": {"bytes", "string"},
}


def obstacles(reader: Any, writer: Any) -> list[str]:
    """What stands in the way of reading `writer`'s records with `reader`, by field path; empty: nothing."""
    return list(_Resolution({}, {}).compare(reader, writer, ""))


class _Resolution:
    """One comparison, with the types that each side has named so far."""

    def __init__(self, readers: Named, writers: Named) -> None:
        self._readers = readers
        self._writers = writers

    def compare(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        """Obstacles at `path`."""
        if isinstance(writer, list):
            for branch in writer:
                yield from self.compare(reader, branch, path)
        elif isinstance(reader, list):
            if all(list(self.compare(branch, writer, path)) for branch in reader):
                yield f"{path}: no branch of the reader takes {_name(writer)}"
        else:
            yield from self._compare_single(_named(reader, self._readers), _named(writer, self._writers), path)

    def _compare_single(self, reader: Mapping[str, Any], writer: Mapping[str, Any], path: str) -> Iterator[str]:
        kind = writer["type"]
        if reader.get("logicalType") != writer.get("logicalType"):
            yield f"{path}: logical type {writer.get('logicalType')} became {reader.get('logicalType')}"
        elif reader["type"] not in PROMOTIONS.get(kind, {kind}):
            yield f"{path}: {kind} became {reader['type']}"
        elif kind == "record":
            yield from self._compare_fields(reader, writer, path)
        elif kind == "array":
            yield from self.compare(reader["items"], writer["items"], f"{path}[]")
        elif kind == "enum" and (lost := set(writer["symbols"]) - set(reader["symbols"])):
            yield f"{path}: the reader does not know {sorted(lost)}"
        elif kind == "fixed" and reader["size"] != writer["size"]:
            yield f"{path}: {writer['size']} bytes became {reader['size']}"
        if reader.get("name") != writer.get("name"):
            yield f"{path}: {writer.get('name')} was renamed to {reader.get('name')}"

    def _compare_fields(self, reader: Mapping[str, Any], writer: Mapping[str, Any], path: str) -> Iterator[str]:
        written = {field["name"]: field["type"] for field in writer["fields"]}
        for field in reader["fields"]:
            place = f"{path}.{field['name']}"
            if field["name"] in written:
                yield from self.compare(field["type"], written[field["name"]], place)
            elif "default" not in field:
                yield f"{place}: not written, and without a default"


def _named(schema: Any, names: Named) -> Mapping[str, Any]:
    """The definition behind a name, a primitive as a definition; remembers what is defined here."""
    if isinstance(schema, str):
        found: Mapping[str, Any] = names.get(schema, {"type": schema})
        return found
    if "name" in schema:
        names[schema["name"]] = schema
    definition: Mapping[str, Any] = schema
    return definition


def _name(schema: Any) -> str:
    return schema if isinstance(schema, str) else str(schema.get("name", schema["type"]))
