"""Between frozen dataclasses and Avro records, by the dataclass's own annotations.

Field names of a dataclass and of its schema are the same; so a new field is one line in each and
nothing here. Converters are built once per class; a field whose value Avro takes as it is has none,
so that the hot path touches only enums, arrays and nested records.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any

Convert = Callable[[Any], Any]


@cache
def to_record(cls: type) -> Callable[[Any], dict[str, Any]]:
    """A function from an instance of dataclass `cls` to the dict that fastavro writes."""
    names, converters = _plan(cls, to_record, enum=lambda _: None)  # a StrEnum is text already

    def write(value: Any) -> dict[str, Any]:
        record = {name: getattr(value, name) for name in names}
        for name, convert in converters:
            record[name] = convert(record[name])
        return record

    return write


@cache
def from_record(cls: type) -> Callable[[Mapping[str, Any]], Any]:
    """A function from the dict that fastavro reads to an instance of dataclass `cls`."""
    names, converters = _plan(cls, from_record, enum=_members)

    def read(record: Mapping[str, Any]) -> Any:
        values = [record[name] for name in names]
        for index, convert in indexed:
            values[index] = convert(values[index])
        return cls(*values)

    indexed = [(names.index(name), convert) for name, convert in converters]
    return read


def _plan(
    cls: type, of_dataclass: Callable[[type], Convert], enum: Callable[[type[Enum]], Convert | None]
) -> tuple[list[str], list[tuple[str, Convert]]]:
    """The names of `cls`'s fields, and the converters of those that need one."""
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    found = [(name, _converter(hints[name], of_dataclass, enum)) for name in names]
    return names, [(name, convert) for name, convert in found if convert is not None]


def _converter(
    hint: Any, of_dataclass: Callable[[type], Convert], enum: Callable[[type[Enum]], Convert | None]
) -> Convert | None:
    """How a field annotated `hint` is converted; None: its value stays as it is."""
    if (inner := _optional(hint)) is not None:
        convert = _converter(inner, of_dataclass, enum)
        return None if convert is None else _unless_none(convert)
    if typing.get_origin(hint) is tuple:
        convert = _converter(typing.get_args(hint)[0], of_dataclass, enum)
        return tuple if convert is None else _each(convert)
    kind: type = hint
    if dataclasses.is_dataclass(kind):
        return of_dataclass(kind)
    return enum(kind) if issubclass(kind, Enum) else None


def _optional(hint: Any) -> Any:
    """`X` of `X | None`, else None."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return inner[0]
    return None


def _unless_none(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _each(convert: Convert) -> Convert:
    return lambda values: tuple([convert(value) for value in values])


def _members(cls: type[Enum]) -> Convert:
    """From a symbol to its member, by a plain dict: four times as fast as calling the enum."""
    return {member.value: member for member in cls}.__getitem__
