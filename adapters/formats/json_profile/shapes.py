"""What a document holds beyond the profile's fields: taken out as extras, put back on the way back.

An extra's path is a JSON Pointer (RFC 6901) and starts with `/`, as no path of another format does; its
value is JSON.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec.inspect import Metadata, StructType, Type, UnionType, VarTupleType

from adapters.formats.json_profile.source import Path, encode, pointer, read_value, steps_of
from exchange.domain.card import Extra

Shape = Mapping[str, "Shape"]
"""Fields by name, with the shape of what each holds; a list has its items' shape, a plain value none."""


@cache
def shape_of(kind: type[msgspec.Struct]) -> Shape:
    """The shape of a type of the profile."""
    return _shape(msgspec.inspect.type_info(kind))


def _shape(kind: Type) -> Shape:
    match kind:
        case StructType():
            return {field.encode_name: _shape(field.type) for field in kind.fields}
        case Metadata():
            return _shape(kind.type)
        case VarTupleType():
            return _shape(kind.item_type)
        case UnionType():
            return next(filter(None, map(_shape, kind.types)), {})
        case _:
            return {}


def read_extras(tree: Any, kind: type[msgspec.Struct], listed: Iterable[Any]) -> tuple[Extra, ...]:
    """Everything that a document says beyond the fields of `kind`; `listed` are those of its field `extras`."""
    return (*(Extra(extra.path, extra.value) for extra in listed), *unread(tree, shape_of(kind)))


def unread(value: Any, shape: Shape, path: Path = ()) -> list[Extra]:
    """What of a value, which has been converted, no field of the profile took."""
    if isinstance(value, list):
        return [extra for index, item in enumerate(value) for extra in unread(item, shape, (*path, index))]
    found = []
    for name, inner in value.items():
        below = shape.get(name)
        if below is None:
            found.append(Extra(pointer((*path, name)), encode(inner).decode()))
        elif below and inner:
            found += unread(inner, below, (*path, name))
    return found


RESERVED = ("staff",)
"""Members that another profile of these documents has: nobody may slip them in unread."""


def _folded(name: str) -> str:
    """A member's name as the most careless reader compares it: some take `Sender` for `sender`, the last one wins."""
    return unicodedata.normalize("NFKC", name).casefold().replace("_", "").replace("-", "")


def put_back(tree: dict[str, Any], extras: Iterable[Extra], shape: Shape) -> list[Extra]:
    """Put extras where their pointers say.

    Never over a field of the profile, whether it is written or left out: what fields say is the card's.

    Returns:
        Those that found no place.
    """
    return [extra for extra in extras if not (extra.path.startswith("/") and _put(tree, extra, shape))]


def _put(tree: Any, extra: Extra, shape: Shape) -> bool:
    *steps, last = steps_of(extra.path)
    for step in steps:
        if isinstance(tree, list | tuple):
            if not step.isdecimal() or len(step) > 4 or int(step) >= len(tree):
                return False
            tree = tree[int(step)]
        elif isinstance(tree, dict) and step in shape:
            tree, shape = tree.get(step), shape[step]
        else:
            return False
    if not isinstance(tree, dict) or _folded(last) in {_folded(name) for name in (*tree, *shape, *RESERVED)}:
        return False
    try:
        tree[last] = read_value(extra.value)
    except ValueError:
        return False
    return True
