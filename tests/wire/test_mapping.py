"""Dataclasses and Avro records, by annotation."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from exchange.wire.mapping import from_record, to_record


class Colour(StrEnum):
    """An enum."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A record inside another."""

    colour: Colour


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything that a record can hold."""

    name: str
    colours: tuple[Colour, ...]
    leaf: Leaf
    maybe: Leaf | None
    leaves: tuple[Leaf, ...]
    words: tuple[str, ...]
    some: tuple[Leaf, ...] | None
    anything: Any


TREE = Tree("oak", (Colour.RED,), Leaf(Colour.BLUE), Leaf(Colour.RED), (Leaf(Colour.RED),), ("a", "b"), None, 7)
RECORD = {
    "name": "oak",
    "colours": ["red"],
    "leaf": {"colour": "blue"},
    "maybe": {"colour": "red"},
    "leaves": [{"colour": "red"}],
    "words": ["a", "b"],
    "some": None,
    "anything": 7,
}


def test_to_a_record() -> None:
    """Records become dicts, tuples sequences, enums their text, None stays None."""
    written = to_record(Tree)(TREE)
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in written.items()} == RECORD


def test_from_a_record() -> None:
    """The way back makes tuples and members again, and leaves the record as it was."""
    before = dict(RECORD)
    assert from_record(Tree)(RECORD) == TREE
    assert before == RECORD


def test_absent_values_stay_absent() -> None:
    """None is taken where the annotation allows it, both ways."""
    bare = Tree("", (), Leaf(Colour.RED), None, (), (), (Leaf(Colour.BLUE),), b"")
    assert from_record(Tree)(to_record(Tree)(bare)) == bare


def test_an_unknown_symbol_is_no_member() -> None:
    """A symbol that the enum lacks never becomes a value."""
    with pytest.raises(KeyError):
        from_record(Leaf)({"colour": "green"})


def test_converters_are_built_once() -> None:
    """The plan of a class is computed once."""
    assert to_record(Tree) is to_record(Tree)
