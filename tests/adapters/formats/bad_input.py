"""Bad input as changes to whatever a format writes: the same for every format, so that a new one has them by itself."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from adapters.formats.files import check_name, fold
from adapters.plugins import formats
from exchange.agent.ports import DraftLetter, DraftReceipt, Format, Package
from exchange.domain.errors import DocumentError
from exchange.wire.records import encode
from tests.adapters.support import DIRECTORY
from tests.fuzz.packages import packages_of

SAMPLES = Path(__file__).parent / "samples"
PLACES = 6
"""Places of one document at which a change is tried."""

MARK = b"\xef\xbb\xbf"
DECLARATION = re.compile(rb"^<\?xml[^>]*\?>\s*")
ENTITY = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
BOMB = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'

Change = Callable[[bytes], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Bad:
    """One kind of bad input.

    Attributes:
        name: for people.
        change: documents made of a good one; none where the kind does not apply to it.
        codes: by which such a document is refused; none: it may also be understood.
    """

    name: str
    change: Change
    codes: frozenset[str] = frozenset()


def _is_xml(document: bytes) -> bool:
    return document.removeprefix(MARK).startswith(b"<")


def _with_type(text: bytes) -> Change:
    def change(document: bytes) -> Iterator[bytes]:
        if _is_xml(document):
            head = DECLARATION.match(document)
            at = head.end() if head else 0
            yield document[:at] + text + document[at:]

    return change


def _as(encoding: str) -> Change:
    """In another encoding than declared, or than the format has."""

    def change(document: bytes) -> Iterator[bytes]:
        text = document.decode()
        if not text.isascii():
            yield text.encode(encoding, "replace")

    return change


def _half_windows(document: bytes) -> Iterator[bytes]:
    """The first half in UTF-8, the second in windows-1251."""
    text = document.decode()
    half = len(text) // 2
    if not (text[:half].isascii() or text[half:].isascii()):
        yield text[:half].encode() + text[half:].encode("cp1251", "replace")


def _marked(document: bytes) -> Iterator[bytes]:
    yield MARK + document.removeprefix(MARK)


def _spread(pattern: bytes, document: bytes) -> list[re.Match[bytes]]:
    """Some of the places at which a pattern stands, from beginning to end."""
    found = list(re.finditer(pattern, document))
    return found[:: max(1, len(found) // PLACES)]


def _replaced(pattern: bytes, *pieces: bytes) -> Change:
    def change(document: bytes) -> Iterator[bytes]:
        for number, found in enumerate(_spread(pattern, document)):
            yield document[: found.start()] + pieces[number % len(pieces)] + document[found.end() :]

    return change


def _surrogates(document: bytes) -> Iterator[bytes]:
    """Pairs and halves of them: as references, as JSON writes them, as bytes that no UTF-8 has."""
    pieces = (b"&#xD83D;&#xDE00;", b"&#xD83D;") if _is_xml(document) else (b"\\ud83d\\ude00", b"\\ud83d")
    yield from _replaced(rb"[\xd0\xd1][\x80-\xbf]", *pieces, b"\xed\xa0\xbd")(document)


def _zoneless(document: bytes) -> Iterator[bytes]:
    yield re.sub(rb"(T\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|[+-]\d\d:\d\d)", rb"\1", document)


def _same_twice(document: bytes) -> Iterator[bytes]:
    """Identifiers that are two in one document become one."""
    for pattern in (rb'(?i)(?<=id": ")[^"]+', rb'(?i)(?<=id=")[^"]+', rb"(?i)(?<=id>)[^<]+"):
        found = [each[0] for each in re.finditer(pattern, document)]
        if len(found) > 1:
            yield document.replace(found[1], found[0])
            yield document.replace(found[-1], found[0])


KINDS = (
    Bad("external entity", _with_type(ENTITY), frozenset({"document-type-forbidden"})),
    Bad("entity bomb", _with_type(BOMB), frozenset({"document-type-forbidden"})),
    Bad("wrong encoding", _as("cp1251"), frozenset({"document-encoding", "document-malformed", "document-invalid"})),
    Bad("UTF-16", _as("utf-16"), frozenset({"document-encoding", "document-malformed", "document-invalid"})),
    Bad("two encodings", _half_windows, frozenset({"document-encoding", "document-malformed", "document-invalid"})),
    Bad("byte order mark", _marked),
    Bad("surrogates", _surrogates),
    Bad("times without zones", _zoneless),
    Bad("numbers of many digits", _replaced(rb"(?<=[>\"])\d+(?=[<\"])|(?<=: )\d+", b"9" * 31, b"9" * 5000, b"0" * 40)),
    Bad("dates that are none", _replaced(rb"\d{4}-\d\d-\d\d", b"2022-02-30", b"0000-00-00", b"9" * 40 + b"-01-01")),
    Bad("times that are none", _replaced(rb"T\d\d:\d\d", b"T24:00", b"T00:61", b"T\xd9\xa1\xd9\xa2:00")),
    Bad("identifiers twice", _same_twice),
)


@dataclass(frozen=True, slots=True)
class Good:
    """A package that a format understands, and the name of its document."""

    package: Package
    document: str

    def with_document(self, data: bytes) -> Package:
        """The package around another document."""
        return Package(self.package.name, {**self.package.files, self.document: data})


@cache
def opened(name: str) -> Format:
    """A format with its default options."""
    plugin = formats()[name]
    return plugin.open(plugin.options())


@cache
def goods(name: str) -> tuple[Good, ...]:
    """A letter and a receipt of a format, where it has both."""
    fmt = opened(name)
    samples = {file.name: file.read_bytes() for file in sorted(SAMPLES.iterdir())}
    found: dict[type, Good] = {}
    for package in packages_of(fmt, samples).known:
        document = next((name for name, data in package.files.items() if data.lstrip(MARK)[:1] in {b"<", b"{"}), None)
        if document is not None and _is_utf8(package.files[document]):
            found.setdefault(type(fmt.parse(package, DIRECTORY)), Good(package, document))
    return tuple(found.values())


def refused(fmt: Format, package: Package) -> str:
    """Code by which a package is refused, at a place; empty when it is understood as something that can be sent."""
    try:
        draft = fmt.parse(package, DIRECTORY)
    except DocumentError as error:
        assert error.place
        assert error.code
        return error.code
    require_sound(draft)
    return ""


def require_sound(draft: DraftLetter | DraftReceipt) -> None:
    """A statement can hold it; ids and names mean one file each; times are times of a zone."""
    encode(draft.card)
    if isinstance(draft, DraftReceipt):
        require_zone(draft.at)
        return
    f"{draft.message_id}{draft.consignment_id}{draft.conversation}".encode()
    files = draft.card.files
    assert len({file.id for file in files}) == len(files) == len(draft.files)
    assert len({fold(check_name(file.name, "")) for file in files}) == len(files)
    for signature in draft.card.signatures:
        if signature.time is not None:
            require_zone(signature.time)


def require_zone(time: datetime) -> None:
    """A time that everybody understands the same."""
    assert time.tzinfo is not None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"windows-1251" not in data[:100]
