"""Extras of a card, put back into a document: whatever a sender made up."""

from lxml import etree

from adapters.formats.medo.versions import MEDO_2_6
from adapters.formats.medo.words import MADE
from adapters.formats.tree import apply_extras
from exchange.domain.card import Extra


def test_thousands_of_siblings_cost_a_look_each() -> None:
    """Looking among all siblings again for every extra took a recipient's agent a minute a letter."""
    extras = [Extra(f"clause[{number}]", "x") for number in range(1, 10_000)]
    again = [Extra("clause[9999]/@id", "")] * 10_000
    root = etree.Element(MEDO_2_6.names.tag("communication"))
    assert (
        len(apply_extras(root, [*extras, *again], MEDO_2_6.names, MEDO_2_6.schema, MADE)) == 0
    )  # no document of the format
