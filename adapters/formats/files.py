"""The files of a package: which are named, which are there, and what may be a name."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from exchange.agent.ports import Package
from exchange.domain.card import FileInfo, FileRole
from exchange.domain.errors import DocumentError

NAME_BYTES = 240

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_UNKNOWN_MEDIA_TYPE = "application/octet-stream"
_MEDIA_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "odt": "application/vnd.oasis.opendocument.text",
    "p7s": "application/pkcs7-signature",
    "pdf": "application/pdf",
    "png": "image/png",
    "rtf": "application/rtf",
    "sig": "application/pkcs7-signature",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}


def check_name(name: str, place: str) -> str:
    """Return `name` when every system can store a file by it, in the folder where it should be.

    Raises:
        DocumentError: `file-name-unsafe`: separators, dots only, control characters, what Windows
            reserves, a dot or space at an end, more than 240 bytes.
    """
    if (
        not name
        or _UNSAFE.search(name)
        or _DEVICES.fullmatch(name)
        or name != name.strip(" .")
        or len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES
        or not name.isprintable()
    ):
        message = "the file name is empty, reserved, too long, or holds separators or control characters: rename it"
        raise DocumentError(message, code="file-name-unsafe", place=place)
    return name


def main_document(package: Package, *expected: str, suffix: str = "xml") -> str:
    """Name of the file that describes the package: an expected name, else its only file of that suffix.

    Raises:
        DocumentError: `document-missing` or `document-ambiguous`.
    """
    by_fold = {fold(name): name for name in package.files}
    for name in expected:
        if fold(name) in by_fold:
            return by_fold[fold(name)]
    candidates = [name for name in package.files if extension(name) == suffix]
    if not candidates:
        message = f"no {' or '.join(expected)} in the package: add the document that describes it"
        raise DocumentError(message, code="document-missing", place=package.name)
    if len(candidates) > 1:
        kind, names = suffix.upper(), " or ".join(expected)
        message = f"several {kind} files and none is {names}: rename the one that describes the package"
        raise DocumentError(message, code="document-ambiguous", place=package.name)
    return candidates[0]


class Attachments:
    """Files of a package, taken one by one by the name that its document gives them."""

    def __init__(self, package: Package, main: str, ignored: Iterable[str] = ()) -> None:
        """Check all names.

        Args:
            package: what the EDMS wrote.
            main: name of the document itself.
            ignored: names of transport files that belong to the package but not to the letter.

        Raises:
            DocumentError: `file-name-unsafe` or `file-name-repeated`.
        """
        self._package = package
        names = [check_name(name, f"{package.name}/{name[:80]!r}") for name in package.files]
        self._by_fold = {fold(name): name for name in names}
        if len(self._by_fold) < len(names):
            message = "two file names differ only in case or form: rename one of them"
            raise DocumentError(message, code="file-name-repeated", place=package.name)
        skipped = {fold(main), *map(fold, ignored)}
        self._left = {key: name for key, name in self._by_fold.items() if key not in skipped}

    def take(self, name: str, place: str) -> bytes:
        """Bytes of the file of that name.

        Raises:
            DocumentError: `file-name-unsafe`, `file-name-repeated` when taken before, `file-missing`
                or `file-empty`.
        """
        key = fold(check_name(name, place))
        if key not in self._left:
            if key in self._by_fold:
                message = f"the file '{name}' is named twice, or is the document itself: name each file once"
                raise DocumentError(message, code="file-name-repeated", place=place)
            message = f"the file '{name}' is named here but is not in the package: add it"
            raise DocumentError(message, code="file-missing", place=place)
        data = self._package.files[self._left.pop(key)]
        if not data:
            message = f"the file '{name}' is empty: there is nothing to deliver, add its content or leave it out"
            raise DocumentError(message, code="file-empty", place=place)
        return data

    def finish(self) -> None:
        """Everything must have been taken.

        Raises:
            DocumentError: `file-unnamed`: a file that the document does not name would either get
                lost or go out by mistake.
        """
        if self._left:
            name = min(self._left.values())
            message = f"the file '{name}' is in the package but the document does not name it: name it or remove it"
            raise DocumentError(message, code="file-unnamed", place=self._package.name)


def file_info(
    ident: str, name: str, data: bytes, role: FileRole, *, description: str = "", pages: int | None = None
) -> FileInfo:
    """Describe a file."""
    digest = hashlib.sha256(data).digest()
    return FileInfo(ident, name, media_type(name), len(data), digest, role, description, pages)


def delivered_names(files: Iterable[FileInfo], reserved: Iterable[str]) -> list[str]:
    """Names to deliver files by, in their order: their own, numbered where one is taken already.

    Raises:
        DocumentError: `file-name-unsafe`: a sender's agent lets no such name pass, so it was forged.
    """
    taken = {fold(name) for name in reserved}
    names = []
    for file in files:
        name, number = check_name(file.name, "card, files"), 0
        stem, dot, suffix = file.name.rpartition(".")
        while fold(name) in taken:
            number += 1
            name = f"{stem}-{number}{dot}{suffix}" if stem else f"{suffix}-{number}"
        taken.add(fold(name))
        names.append(name)
    return names


def media_type(name: str) -> str:
    """Media type by the name's extension."""
    return _MEDIA_TYPES.get(extension(name), _UNKNOWN_MEDIA_TYPE)


def extension(name: str) -> str:
    """What follows the last dot, in lower case; empty without one."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def fold(name: str) -> str:
    """Names with equal folds are the same file on some system."""
    return unicodedata.normalize("NFC", name).casefold()
