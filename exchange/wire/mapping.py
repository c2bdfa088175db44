"""Between frozen dataclasses and Avro records, by the dataclass's own annotations.

Field names of a dataclass and of its schema are the same; so a new field is one line in each and
nothing here. Converters are built once per class.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any

Convert = Callable[[Any], Any] | None


@cache
def to_record(cls: type) -> Callable[[Any], dict[str, Any]]:
    """A function from an instance of dataclass `cls` to the dict that fastavro writes."""
    plan = [(name, _writer(hint)) for name, hint in _fields(cls)]

    def write(value: Any) -> dict[str, Any]:
        return {
            name: getattr(value, name) if convert is None else convert(getattr(value, name))
            for name, convert in plan
        }

    return write


@cache
def from_record(cls: type) -> Callable[[Mapping[str, Any]], Any]:
    """A function from the dict that fastavro reads to an instance of dataclass `cls`."""
    plan = [(name, _reader(hint)) for name, hint in _fields(cls)]

    def read(record: Mapping[str, Any]) -> Any:
        return cls(*[record[name] if convert is None else convert(record[name]) for name, convert in plan])

    return read


def _fields(cls: type) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(cls)
    return [(field.name, hints[field.name]) for field in dataclasses.fields(cls)]


def _writer(hint: Any) -> Convert:
    """How a field's value becomes what fastavro takes; None: as it is (enums are text already)."""
    return _converter(hint, to_record, enum=lambda _: None)


def _reader(hint: Any) -> Convert:
    """How a field's value comes back; None: as it is."""
    return _converter(hint, from_record, enum=lambda cls: cls)


def _converter(hint: Any, of_dataclass: Callable[[type], Any], enum: Callable[[type], Convert]) -> Convert:
    if (inner := _optional(hint)) is not None:
        convert = _converter(inner, of_dataclass, enum)
        return None if convert is None else lambda value: None if value is None else convert(value)
    if typing.get_origin(hint) is tuple:
        convert = _converter(typing.get_args(hint)[0], of_dataclass, enum)
        return tuple if convert is None else lambda values: tuple([convert(value) for value in values])
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        convert_record: Convert = of_dataclass(hint)
        return convert_record
    if isinstance(hint, type) and issubclass(hint, Enum):
        return enum(hint)
    return None


def _optional(hint: Any) -> Any:
    """`X` of `X | None`, else None."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return inner[0]
    return None
