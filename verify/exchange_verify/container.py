"""The zip of a package, read strictly: so that two readers cannot see two packages in one file.

Files stand one behind the other from the first byte; the directory behind them says the same of each, in the same
order, and the archive ends with it. Nothing is compressed: so nothing unpacks to more than it is. Python's `zipfile`
is more forgiving, so it is not used.
"""

import struct
from io import BytesIO
from typing import BinaryIO
from unicodedata import category, normalize
from zlib import crc32

from exchange_verify.errors import require, within

MIMETYPE = "mimetype"
_FILES_MAX, _UTF8 = 65_000, 0x800
_END, _CENTRAL, _LOCAL = struct.Struct("<4s4H2LH"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H")


class Container:
    """The files of a zip, in its order; each is unpacked when it is read."""

    def __init__(self, source: BinaryIO, media_type: str) -> None:
        """Look at the whole structure; the first file must be `mimetype` and say the media type."""
        self._source, self.files = source, dict[str, tuple[int, int, int]]()
        length = source.seek(0, 2)
        require(length >= _END.size, "it is no zip")
        sign, disk, first, here, number, size, begin, comment = _END.unpack(self._bytes(length - _END.size, _END.size))
        plain = sign == b"PK\5\6" and not (disk or first or comment) and here == number
        require(plain and begin + size + _END.size == length, "it does not end with the directory of one plain zip")
        require(0 < number <= _FILES_MAX, f"it holds {number} files, at most {_FILES_MAX} are read")
        central, at, behind, seen = self._bytes(begin, size), 0, 0, set()
        for _ in range(number):
            name, file, at, behind = self._entry(central, at, behind)
            require(name.casefold() not in seen, f"{name}: there is another file of that name")
            seen.add(name.casefold())
            self.files[name] = file
        require(at == size and behind == begin, "it holds bytes that belong to no file")
        typed = next(iter(self.files)) == MIMETYPE and self.read(MIMETYPE) == media_type.encode()
        require(typed, f"{MIMETYPE}: is not the first file, or does not say {media_type}")

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        require(name in self.files, f"{name}: is not in the package")
        begin, size, crc = self.files[name]
        data = self._bytes(begin, size)
        require(len(data) == size and crc32(data) == crc, f"{name}: is damaged")
        return data

    def inner(self, name: str, media_type: str) -> "Container":
        """A zip within this one."""
        with within(name):
            return Container(BytesIO(self.read(name)), media_type)

    def _bytes(self, begin: int, size: int) -> bytes:
        self._source.seek(begin)
        return self._source.read(size)

    def _entry(self, central: bytes, at: int, begin: int) -> tuple[str, tuple[int, int, int], int, int]:
        """The directory's next entry, which must repeat the file's own header at `begin`; the offsets behind both."""
        require(at + _CENTRAL.size <= len(central), "its directory ends early")
        sign, _, version, flags, method, time, date, crc, packed, size, named, *rest = _CENTRAL.unpack_from(central, at)
        extra, comment, disk, _, _, offset = rest
        raw = central[at + _CENTRAL.size : at + _CENTRAL.size + named]
        name = _checked(raw, utf8=bool(flags & _UTF8))
        require(sign == b"PK\1\2" and not (extra or comment or disk), f"{name}: has an odd entry in the directory")
        stored = flags in {0, _UTF8} and method == 0 and packed == size
        require(stored, f"{name}: is compressed, encrypted, or without its size")
        own = _LOCAL.pack(b"PK\3\4", version, flags, method, time, date, crc, packed, size, named, 0) + raw
        same = offset == begin and self._bytes(begin, len(own)) == own
        require(same, f"{name}: is not where or what the zip's directory says")
        begin += len(own)
        return name, (begin, size, crc), at + _CENTRAL.size + named, begin + size


def _checked(raw: bytes, *, utf8: bool) -> str:
    """A file's name, if it leads nowhere else on any machine."""
    with within(repr(raw[:80])):
        name = raw.decode("utf-8" if utf8 else "ascii")
        odd = any(category(each)[0] in "CZ" or each in '\\:*?"<>|' for each in name)
        plain = all(part and part == part.strip(".") for part in name.split("/"))
        require(plain and not odd and len(raw) <= 400 and normalize("NFC", name) == name, "is no name that is taken")
        return name
