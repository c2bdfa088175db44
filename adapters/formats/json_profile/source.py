"""Strict JSON: a document's tree, and where in the file each of its values stands.

What RFC 8259 leaves to the reader is settled here as in I-JSON (RFC 7493): UTF-8 only, no name twice in
an object, no number that others could not hold, no half of a surrogate pair. Size, depth and the
number of values are bounded before or while the tree is built. Messages never repeat a value: an error
text may be logged, a letter's content may not.
"""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from exchange.domain.errors import DocumentError

JSON_BYTES = 16 * 1024 * 1024
"""Largest document, bytes; a third of inline files is base64's own."""
DEPTH = 32
VALUES = 200_000
"""Commas and opening brackets, which bound the number of values."""
NUMBER_CHARACTERS = 32
_INTEGER_CHARACTERS = 18
"""What is longer might not fit into 64 bits, which is all that the encoder takes as an integer."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BLANK = re.compile(r"[ \t\n\r]*")
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_TOLD = ("Expected", "Object missing", "Invalid RFC3339")
"""How those messages of msgspec begin that say what should stand there, not what does."""
_SHOWN = 120

Path = tuple[str | int, ...]
"""Names and indexes from the root to a value."""
T = TypeVar("T")


class Source:
    """A JSON document that is an object.

    Attributes:
        name: of the file, for messages.
        tree: the object; numbers with a fraction or an exponent are `Decimal`.
    """

    def __init__(self, data: bytes, name: str) -> None:
        """Read `data`.

        Raises:
            DocumentError: `document-too-large`, `document-encoding` or `document-malformed`, with the line.
        """
        self.name = name
        self._text = _decode(data, name)
        try:
            tree = _read(self._text)
        except json.JSONDecodeError as error:
            message = f"no JSON ({error.msg}): repair or export it again"
            raise DocumentError(message, code="document-malformed", place=f"{name}, line {error.lineno}") from None
        except _Doubtful as doubt:
            raise self.fault(doubt.path, doubt.misfit.problem, doubt.misfit.code) from None
        if not isinstance(tree, dict):
            raise self.fault((), "is no object: write {…}", code="document-malformed")
        self.tree: dict[str, Any] = tree

    def take(self, name: str) -> Any:
        """Take a member out of the tree; None where there is none."""
        return self.tree.pop(name, None)

    def fault(self, path: Path, message: str, code: str | None = None) -> DocumentError:
        """The error that something is wrong with the value at `path`, or in it when there is no such value."""
        try:
            line = self._text.count("\n", 0, _position(self._text, path)) + 1
        except RecursionError:  # beside the value something is nested nearly as deep as Python goes
            line = 1
        return DocumentError(message, code=code, place=f"{self.name}, line {line}, {_shown(path)}")

    def convert(self, value: Any, kind: type[T], path: Path = ()) -> T:
        """`value`, which stands at `path`, as an instance of `kind`.

        Raises:
            DocumentError: `document-invalid` for the first fault.
        """
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            what, _, where = str(error).partition(" - at `")
            steps = tuple(int(index) if index else name for name, index in _STEP.findall(where))
            what = what if what.startswith(_TOLD) else "None of the words or forms that may stand here"
            step = "write it as YYYY-MM-DD" if what.endswith(" date") else "write it as the JSON Schema says"
            raise self.fault((*path, *steps), f"{what}: {step}") from None


class _Misfit:
    """Stands in the tree for what must not be there; `below` leads further to it."""

    __slots__ = ("below", "code", "problem")

    def __init__(self, problem: str, code: str = "document-malformed", below: Path = ()) -> None:
        self.problem = problem
        self.code = code
        self.below = below


class _Doubtful(ValueError):
    """A JSON text that a reader could understand in two ways, or not at all."""

    def __init__(self, path: Path, misfit: _Misfit) -> None:
        super().__init__(misfit.problem)
        self.path = path
        self.misfit = misfit


_LOOKED_INTO = frozenset({dict, list, _Misfit})
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""The only way by which a half may come into what was UTF-8."""
_TOO_DEEP = f"nested deeper than {DEPTH}: no letter is"
_NO_NUMBER = f"no number that JSON has, or longer than {NUMBER_CHARACTERS} characters: write such a number as a text"
_HALF_PAIR = "half of a surrogate pair: write the character itself"


def _read(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        json.JSONDecodeError: it is none.
        _Doubtful: a reader could understand it in two ways, or not at all.
    """
    try:
        tree = _DECODER.decode(text)
    except RecursionError:
        raise _Doubtful((), _Misfit(_TOO_DEEP)) from None
    if _ESCAPED_HALF.search(text) is None and _is_plain(tree):
        return tree
    pending: list[tuple[Any, Path]] = [(tree, ())]
    for value, path in pending:  # it grows while it is walked: what lies inside comes later
        if isinstance(value, _Misfit):
            raise _Doubtful((*path, *value.below), value)
        if isinstance(value, dict | list):
            if len(path) == DEPTH:
                raise _Doubtful(path, _Misfit(_TOO_DEEP))
            if isinstance(value, dict) and not _is_whole("".join(value)):
                raise _Doubtful(path, _Misfit(_HALF_PAIR, "document-encoding"))
            items = value.items() if isinstance(value, dict) else enumerate(value)
            pending.extend((inner, (*path, step)) for step, inner in items)
        elif isinstance(value, str) and not _is_whole(value):
            raise _Doubtful(path, _Misfit(_HALF_PAIR, "document-encoding"))
    return tree


def _is_plain(tree: Any) -> bool:
    """Whether nothing in a tree is a misfit, or too deep: the common case, told quickly and without places."""
    level: list[Any] = [[tree]]
    for _ in range(DEPTH + 1):
        inner = [part for value in level for part in (value.values() if type(value) is dict else value)]
        level = [part for part in inner if type(part) in _LOOKED_INTO]
        if not level:
            return True
        if _Misfit in set(map(type, level)):
            return False
    return False


def _is_whole(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Misfit:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1) if len(names) <= 1000 else ""
        return _Misfit("a name stands twice in one object: keep one", below=(repeated,) if repeated else ())
    return found


def _integer(text: str) -> int | Decimal | _Misfit:
    return int(text) if len(text) <= _INTEGER_CHARACTERS else _number(text)


def _number(text: str) -> Decimal | _Misfit:
    try:
        if len(text) <= NUMBER_CHARACTERS and math.isfinite(float(text)):
            return Decimal(text)
    except InvalidOperation:
        pass
    return _Misfit(_NO_NUMBER)


def _constant(_name: str) -> _Misfit:
    return _Misfit(_NO_NUMBER)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """A tree, or values of the profile's types, as JSON in UTF-8 without blanks."""
    return _ENCODER.encode(value)


def laid_out(value: Any) -> bytes:
    """The same over several lines, for people."""
    return msgspec.json.format(encode(value), indent=2) + b"\n"


def read_value(text: str) -> Any:
    """The value that `encode` wrote.

    Raises:
        ValueError: the text is no JSON, or none that a document may hold.
    """
    return _read(text)


def pointer(path: Path) -> str:
    """JSON Pointer (RFC 6901) of a path."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def steps_of(text: str) -> list[str]:
    """The steps of a JSON Pointer, indexes still as text."""
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def _shown(path: Path) -> str:
    """A pointer for people: a document's names are anybody's text."""
    text = "".join(character if character.isprintable() else "?" for character in pointer(path)) or "the whole"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _decode(data: bytes, name: str) -> str:
    """The document's text, bounded, without a byte order mark."""
    if len(data) > JSON_BYTES:
        message = f"the document has {len(data)} bytes, more than {JSON_BYTES}: send what is large as attached files"
        raise DocumentError(message, code="document-too-large", place=name)
    if sum(map(data.count, (b",", b"[", b"{"))) > VALUES:
        message = f"more than {VALUES} commas and brackets: send what is large as attached files"
        raise DocumentError(message, code="document-too-large", place=name)
    body = data.removeprefix(_BYTE_ORDER_MARK)
    if body.startswith(_OTHER_MARKS) or b"\0" in body[:4]:
        raise DocumentError("UTF-16 or UTF-32: save it as UTF-8", code="document-encoding", place=name)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = "these bytes are no UTF-8: save it as UTF-8"
        raise DocumentError(message, code="document-encoding", place=f"{name}, line {line}") from None


def _position(text: str, path: Path) -> int:
    """Index in a JSON text where the value at `path` begins, or the innermost that there is on the way."""
    at = _after_blanks(text, 0)
    for step in path:
        found = next((start for name, start in _members(text, at) if name == step), None)
        if found is None:
            break
        at = found
    return at


def _members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Name or index, and start, of each value inside the object or array at `at`."""
    if text[at] not in "{[":
        return
    named, index = text[at] == "{", 0
    at = _after_blanks(text, at + 1)
    while text[at] not in "}]":
        name: str | int = index
        if named:
            name, at = _DECODER.raw_decode(text, at)
            at = _after_blanks(text, _after_blanks(text, at) + 1)
        yield name, at
        at = _after_blanks(text, _DECODER.raw_decode(text, at)[1])
        at = _after_blanks(text, at + 1) if text[at] == "," else at
        index += 1


def _after_blanks(text: str, at: int) -> int:
    blanks = _BLANK.match(text, at)
    return blanks.end() if blanks else at
