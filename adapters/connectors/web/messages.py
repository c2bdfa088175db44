"""Packages and words about them as JSON."""

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.connectors.packages import PACKAGE_BYTES, check_size
from adapters.formats.files import check_name
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError

JSON_BYTES = PACKAGE_BYTES // 3 * 4 + 1024 * 1024
"""A package of the largest size as JSON: base64 and some room for names."""

_PIECE_BYTES = 3 * 64 * 1024
"""What is read at once: a multiple of three has no padding in base64."""
_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")

Id = Annotated[str, Meta(pattern="^[A-Za-z0-9_~-]{1,128}$")]
"""Of a package that waits at the EDMS: stands in a path as it is, and in a signature without a full stop."""


class FileMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: its bytes in base64, or, from an EDMS that likes that better, its text."""

    name: str
    content: bytes | UnsetType = UNSET
    text: str | UnsetType = UNSET


class PackageMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package."""

    name: str
    files: tuple[FileMessage, ...]


class Waiting(msgspec.Struct, frozen=True):
    """Packages that wait at the EDMS, oldest first."""

    packages: tuple[Id, ...]


class Refusal(msgspec.Struct, frozen=True):
    """Why a package was refused: a code for programs, words for people."""

    code: str = ""
    problem: str = ""


def encoded_package(folder: Path) -> Iterator[bytes]:
    """The package in a folder as JSON, piece by piece: always the same bytes, never all of them in memory."""
    yield b'{"name":' + msgspec.json.encode(folder.name) + b',"files":['
    for number, file in enumerate(sorted(folder.iterdir())):
        yield (b"," if number else b"") + b'{"name":' + msgspec.json.encode(file.name) + b',"content":"'
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE_BYTES):
                yield b64encode(piece)
        yield b'"}'
    yield b"]}"


def decode_package(data: bytes | bytearray, ident: str) -> Package:
    """The package `ident` from JSON.

    Raises:
        DocumentError: `document-malformed`, `package-too-large`, `file-name-unsafe`, `file-name-repeated`.
    """
    try:
        message = msgspec.json.decode(data, type=PackageMessage)
        files = {check_name(file.name, ident): _content(file, ident) for file in message.files}
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        said = error if isinstance(error, msgspec.ValidationError) else "no JSON"
        problem = f"{said}: write the package as the page of the HTTP connector says"
        raise DocumentError(problem, code="document-malformed", place=ident) from error
    if len(files) < len(message.files):
        problem = "two files have the same name: rename one of them"
        raise DocumentError(problem, code="file-name-repeated", place=ident)
    check_size(sum(map(len, files.values())), len(files), ident)
    return Package(ident, files)


def said_code(data: bytes | bytearray) -> str:
    """The code that an EDMS gives for a refusal; empty where it gives none that could stand in a message."""
    try:
        code = msgspec.json.decode(data, type=Refusal).code
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return ""
    return code if _CODE.fullmatch(code) else ""


def _content(file: FileMessage, ident: str) -> bytes:
    if isinstance(file.content, bytes) and file.text is UNSET:
        return file.content
    if isinstance(file.text, str) and file.content is UNSET:
        return file.text.encode()
    message = "a file must have either content or text: give one of them"
    raise DocumentError(message, code="document-malformed", place=f"{ident}/{file.name[:80]}")
