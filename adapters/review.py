"""What a format makes of real packages, and what it would lose: for agency IT, before anything is connected.

Nothing is sent. A loss is found by doing: a letter that was understood is written again, and what stood
in the source and stands in the result no more is lost or changed. So no table of losses has to be believed.
"""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from lxml import etree

from adapters.formats.archive import unpack
from adapters.formats.files import extension
from adapters.ports import WritingFormat
from exchange.agent.ports import DraftLetter, DraftReceipt, Format, Package
from exchange.domain.card import Extra
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.wire.xml import parse

_LINES = frozenset({"txt", "ini", "ltr"})
"""Kinds of file that are compared line by line."""

FORMAT_FIELDS = frozenset({"card.source_format", "card.extras"})
"""Of a letter, what is the format's own; conversion tells the extras one by one."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something of the source that is not in what was written of it.

    Attributes:
        place: file and line in the source, or the field of the letter.
        field: path below the document's root, or the field of the letter.
        how: `missing`, `changed`, or for a file `file missing`, `file changed`.
    """

    place: str
    field: str
    how: str


@dataclass(frozen=True, slots=True)
class Review:
    """What a format makes of one package.

    Attributes:
        package: its name.
        understood: the letter or receipt, field by field, as texts; empty when it was refused.
        carried: what was not understood: it travels with the letter and is written again in the same format.
        lost: what the same format would not write again.
        faults: why it is refused, each with its place; none when it was understood.
        code: of the first fault.
    """

    package: str
    understood: Mapping[str, str]
    carried: tuple[Extra, ...]
    lost: tuple[Loss, ...]
    faults: tuple[str, ...] = ()
    code: str = ""


def review(fmt: Format, writer: Format, package: Package, directory: Directory, now: datetime) -> Review:
    """What `fmt` makes of a package.

    Args:
        fmt: the format, as its profile has it.
        writer: the same unmapped; where it cannot write as a document system does, nothing is said of losses.
        package: as the document system wrote it.
        directory: to look addressees up.
        now: written as the time of the letter that is written again.
    """
    try:
        draft = fmt.parse(package, directory)
    except DocumentError as error:
        return Review(package.name, {}, (), (), (str(error), *error.others), error.code)
    fields = {name: text for name, text in flat(draft) if not name.startswith("card.extras")}
    if isinstance(draft, DraftReceipt):
        return Review(package.name, fields, draft.card.extras, ())
    again = writer.write(draft, now, directory, package.name) if isinstance(writer, WritingFormat) else package
    return Review(package.name, fields, draft.card.extras, tuple(losses(package, again)))


def convert(
    draft: DraftLetter, fmt: WritingFormat, directory: Directory, now: datetime, name: str
) -> tuple[Package, tuple[Loss, ...]]:
    """The letter in another format, and what of it that format has no place for.

    Raises:
        DocumentError: it cannot be written there at all.
    """
    package = fmt.write(draft, now, directory, name)
    read = fmt.parse(package, directory)
    before, after = Counter(flat(draft)), Counter(flat(read))
    kept = {field for field, _ in after - before}
    lost = [
        Loss("letter", field, "changed" if field in kept else "missing")
        for field, text in before - after
        if text and not any(field.startswith(own) for own in FORMAT_FIELDS)
    ]
    lost += [Loss("extras", extra.path, "missing") for extra in draft.card.extras if extra not in read.card.extras]
    return package, tuple(lost)


def flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a value of dataclasses, as `card.links[1].number` and its text; bytes as their size."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from flat(getattr(value, field.name), f"{name}.{field.name}".lstrip("."))
    elif isinstance(value, tuple):
        for index, item in enumerate(value, 1):
            yield from flat(item, f"{name}[{index}]")
    elif isinstance(value, bytes):
        yield name, value.hex() if len(value) <= 32 else f"{len(value)} bytes"
    elif value is not None:
        yield name, str(value)


def losses(source: Package, written: Package) -> Iterator[Loss]:
    """What stands in `source` and not in `written`; order counts for nothing."""
    theirs = {point for _, point in _points(written)}
    fields = {(kind, field) for kind, field, _ in theirs}
    for place, point in _points(source):
        kind, field, _ = point
        if point not in theirs:
            yield Loss(place, field, "changed" if (kind, field) in fields else "missing")


Point = tuple[str, str, str]
"""Something that a file says: its kind of document or else its name, a path without positions, a text."""


def _points(package: Package, *, looking_in: bool = True) -> Iterator[tuple[str, Point]]:
    """Everything that the files of a package say, each with its place; what is no document says its bytes.

    An archive, such as a transport container, says what the files in it do; one within it is just bytes.
    """
    for name, data in package.files.items():
        if looking_in and extension(name) == "zip":
            with suppress(DocumentError):
                inner = Package(name, unpack(data, name))
                yield from ((f"{name}/{place}", point) for place, point in _points(inner, looking_in=False))
                continue
        document = _document(name, data)
        if document is None:
            yield name, (name, "content", hashlib.sha256(data).hexdigest())
            continue
        kind, said = document
        for field, text, line in said:
            yield f"{name}, line {line}" if line else name, (kind, field, text)


def _document(name: str, data: bytes) -> tuple[str, list[tuple[str, str, int]]] | None:
    """What a document says; documents compare by that, not by what their file is called."""
    kind = name.rsplit(".", 1)[-1].lower()
    try:
        if kind == "xml":
            return kind, list(_of_xml(parse(data, name), ""))
        if kind == "json":
            return kind, list(_of_json(json.loads(data), ""))
        if kind in _LINES:
            return kind, [("line", line, number) for number, line in enumerate(data.decode().splitlines(), 1)]
    except (DocumentError, ValueError):
        return None
    return None


def _of_xml(element: etree._Element, path: str) -> Iterable[tuple[str, str, int]]:
    line = cast("int | None", element.sourceline) or 0
    for key, value in element.attrib.items():
        if value.strip():
            yield f"{path}/@{etree.QName(key).localname}".lstrip("/"), str(value).strip(), line
    if element.text and element.text.strip():
        yield path, element.text.strip(), line
    for child in element:
        yield from _of_xml(child, f"{path}/{etree.QName(child).localname}".lstrip("/"))


def _of_json(value: Any, path: str) -> Iterable[tuple[str, str, int]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _of_json(part, f"{path}/{key}")
    elif isinstance(value, list):
        for part in value:
            yield from _of_json(part, path)
    elif value not in (None, ""):
        yield path, str(value), 0
