"""What a format makes of real packages."""

from collections import Counter
from itertools import permutations

import pytest

from adapters.formats import FORMATS
from adapters.formats.archive import pack
from adapters.review import FORMAT_FIELDS, Loss, convert, flat, losses, review
from exchange.agent.ports import Package
from exchange.domain.card import Extra, Link
from exchange.domain.event import Event
from tests.adapters.support import DIRECTORY, NOW, draft_of, receipt

MEDO, GOST = FORMATS["medo-2.6"], FORMATS["gost53898"]


def written(**changes: object) -> Package:
    """The letter as an EDMS of MEDO writes it."""
    return MEDO.write(draft_of("medo-2.6", **changes), NOW, DIRECTORY, "kat")


def test_what_is_understood_is_shown_field_by_field() -> None:
    """As the card names them, with nothing lost where the format's own writer wrote it."""
    found = review(MEDO, MEDO, written(), DIRECTORY, NOW)
    assert found.understood["card.reg_number"] == "11-10/77"
    assert found.understood["card.links[1].type"] == "В ответ на"
    assert (found.faults, found.code, found.lost) == ((), "", ())


def test_what_is_not_understood_is_told() -> None:
    """It is carried, and written again."""
    found = review(MEDO, MEDO, written(extras=(Extra("document/specialMark", "Контроль"),)), DIRECTORY, NOW)
    assert found.carried == (Extra("document/specialMark", "Контроль"),)
    assert found.lost == ()


def test_what_would_not_be_written_again_is_told_with_its_line() -> None:
    """A comment in the source says nothing; an element that the writer makes anew does."""
    package = written()
    document = package.files["document.xml"].replace(b'xdms:version="2.6"', b'xdms:version="2.2"')
    assert document != package.files["document.xml"]
    (lost,) = review(MEDO, MEDO, Package("kat", {**package.files, "document.xml": document}), DIRECTORY, NOW).lost
    assert lost == Loss("document.xml, line 2", "@version", "changed")


def test_a_file_that_is_not_written_again_is_told() -> None:
    """Its bytes are compared, not its name alone."""
    mine = Package("a", {"kat.pdf": b"1", "b.pdf": b"2", "odd.xml": b"<", "n.json": b'{"a": [1, ""]}'})
    theirs = Package("a", {"kat.pdf": b"1", "b.pdf": b"3", "odd.xml": b"<", "m.json": b'{"a": 2}'})
    assert list(losses(mine, theirs)) == [Loss("b.pdf", "content", "changed"), Loss("n.json", "/a", "changed")]


def test_a_container_is_looked_into() -> None:
    """Once: an archive in it is a file like others."""
    inner = {"passport.xml": b"<a><b>1</b></a>", "deep.zip": pack({"x.xml": b"<a/>"})}
    mine = Package("a", {"c.zip": pack(inner), "odd.zip": b"PK"})
    theirs = Package("a", {"c.zip": pack({**inner, "passport.xml": b"<a>\n<b>2</b></a>", "deep.zip": b"1"})})
    assert list(losses(mine, theirs)) == [
        Loss("c.zip/passport.xml, line 1", "b", "changed"),
        Loss("c.zip/deep.zip", "content", "changed"),
        Loss("odd.zip", "content", "missing"),
    ]


def test_every_fault_is_told() -> None:
    """With file and line, and the first one's code."""
    document = written().files["document.xml"].replace(b"2022-", b"22-")
    found = review(MEDO, MEDO, Package("kat", {"document.xml": document}), DIRECTORY, NOW)
    assert found.code == "document-invalid"
    assert len(found.faults) > 1
    assert all(fault.startswith("document.xml, line ") for fault in found.faults)
    assert found.understood == {}


def test_a_receipt_is_understood() -> None:
    """Event and the letter that it is about."""
    package = MEDO.render_receipt(receipt(Event.REGISTERED, draft_of("medo-2.6")), "mfa", DIRECTORY)
    assert package is not None
    found = review(MEDO, MEDO, package, DIRECTORY, NOW)
    assert found.understood["event"] == "registered"


def test_conversion_tells_what_has_no_place() -> None:
    """Fields of the letter, and what only the source's format had a name for."""
    draft = MEDO.parse(written(extras=(Extra("document/specialMark", "Контроль"),)), DIRECTORY)
    package, lost = convert(draft, GOST, DIRECTORY, NOW, "kat")  # type: ignore[arg-type]
    assert set(package.files) > {"DocInfo.xml"}
    assert Loss("extras", "document/specialMark", "missing") in lost
    assert convert(draft, FORMATS["json-1"], DIRECTORY, NOW, "kat")[1] == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(("source", "target"), [*permutations(FORMATS, 2)])
def test_there_and_back(source: str, target: str) -> None:
    """What one conversion does not lose of a letter is there after the way back; a format may add what it requires."""
    ours, theirs = FORMATS[source], FORMATS[target]
    draft = ours.parse(ours.write(draft_of(source), NOW, DIRECTORY, "kat"), DIRECTORY)
    there, lost = convert(draft, theirs, DIRECTORY, NOW, "kat")  # type: ignore[arg-type]
    back, _ = convert(theirs.parse(there, DIRECTORY), ours, DIRECTORY, NOW, "kat")  # type: ignore[arg-type]
    gone = Counter(flat(draft)) - Counter(flat(ours.parse(back, DIRECTORY)))
    fields = {field for field, text in gone if text and not field.startswith(tuple(FORMAT_FIELDS))}
    assert fields <= {loss.field for loss in lost}


def test_values_are_texts() -> None:
    """Positions begin at 1; what is not there says nothing, large bytes only their size."""
    assert list(flat((Link("На №"), b"\x01", bytes(40), None))) == [
        ("[1].type", "На №"),
        ("[1].document_id", ""),
        ("[1].number", ""),
        ("[2]", "01"),
        ("[3]", "40 bytes"),
    ]
