"""Zip archives from strangers: bounded before and while they are unpacked, and packed the same every time.

Only the plain kind is read: one disk, no comment, stored or deflated files side by side. What else a
zip may be (encrypted, zip64, links, folders, bytes before or behind) is refused, since two programs
that read it might not see the same files in it.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping

from adapters.formats.files import check_name, fold
from exchange.domain.errors import DocumentError

ARCHIVE_FILES = 1000
ARCHIVE_BYTES = 64 * 1024 * 1024
RATIO = 200
RATIO_FREE_BYTES = 1024 * 1024
"""So many bytes may come out of any file; beyond them it may hold `RATIO` times what it takes."""

_DIRECTORY_BYTES = ARCHIVE_FILES * 1024
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_ENCRYPTED = 0x2041
_UTF_8 = 0x800
_MADE_ON_UNIX = 3
_MODE = (stat.S_IFREG | 0o644) << 16
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)


def unpack(data: bytes, name: str) -> dict[str, bytes]:
    """The files of an archive by name, in its order.

    Args:
        data: the archive.
        name: its own name, for messages.

    Raises:
        DocumentError: `archive-unsound`, `archive-too-large`, `file-name-unsafe` or `file-name-repeated`.
    """
    _check_end(data, name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _checked(archive.infolist(), name)
            return {entry: _read(archive, info) for entry, info in entries.items()}
    except _DAMAGE as error:
        raise _unsound(f"it is damaged ({type(error).__name__})", name) from None


def pack(files: Mapping[str, bytes]) -> bytes:
    """An archive of `files` in their order; equal files give equal bytes, whatever machine packs them.

    They are stored as they are: scans and PDF hardly shrink, and what a deflater makes of the rest differs from one
    build of zlib to the next.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _EARLIEST)
            info.create_system = _MADE_ON_UNIX
            info.external_attr = _MODE
            archive.writestr(info, data)
    return packed.getvalue()


def _check_end(data: bytes, name: str) -> None:
    """Bound the directory before anything reads it: 64 MB of it would become a gigabyte of objects."""
    if len(data) < _END.size:
        raise _unsound("it has no end", name)
    signature, disk, directory_disk, here, entries, size, offset, comment = _END.unpack(data[-_END.size :])
    if signature != _END_SIGNATURE or disk or directory_disk or here != entries or comment:
        raise _unsound("it does not end as a plain archive does", name)
    if entries > ARCHIVE_FILES or size > _DIRECTORY_BYTES:
        raise _too_large(f"more than {ARCHIVE_FILES} files", name)
    if offset + size + _END.size != len(data):
        raise _unsound("its directory is not where it says", name)


def _checked(infos: list[zipfile.ZipInfo], name: str) -> dict[str, zipfile.ZipInfo]:
    """What the directory says, before the first byte is unpacked: sound names, plain files, sizes in bounds."""
    entries: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for number, info in enumerate(infos, 1):
        place = f"{name}, entry {number}"
        entry = check_name(_name(info), place)
        if fold(entry) in seen:
            message = f"'{entry}' is in the archive twice: rename one of them"
            raise DocumentError(message, code="file-name-repeated", place=place)
        seen.add(fold(entry))
        if info.flag_bits & _ENCRYPTED:
            raise _unsound("an entry is encrypted", place)
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise _unsound(f"an entry is compressed by method {info.compress_type}", place)
        if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
            raise _unsound("an entry is a link, a folder or a device", place)
        if info.file_size > RATIO_FREE_BYTES and info.file_size > RATIO * info.compress_size:
            raise _too_large(f"an entry of more than {RATIO} times its packed size", place)
        entries[entry] = info
    if sum(info.file_size for info in infos) > ARCHIVE_BYTES:
        raise _too_large(f"more than {ARCHIVE_BYTES} bytes when unpacked", name)
    return entries


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: utf-8 where the flag says so, else utf-8 or, if it is none, cp866.

    Without the flag it should be cp437, which has no Cyrillic; Russian and Kyrgyz Windows write cp866.
    """
    if info.flag_bits & _UTF_8:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp866")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One file; told how much to read, no more than that is ever unpacked, whatever the packed bytes would yield."""
    with archive.open(info) as file:
        data = file.read(info.file_size)
    if len(data) != info.file_size:
        raise zipfile.BadZipFile
    return data


def _unsound(why: str, place: str) -> DocumentError:
    message = f"the archive cannot be read: {why}; pack it again as a plain zip of files"
    return DocumentError(message, code="archive-unsound", place=place)


def _too_large(why: str, place: str) -> DocumentError:
    message = f"the archive has {why}: send less, or in several letters"
    return DocumentError(message, code="archive-too-large", place=place)
