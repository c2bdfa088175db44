"""The zip of a package and its manifest, read strictly: so that two readers cannot see two packages in one file.

Files stand one behind the other, the zip's directory behind them says the same, and nothing is compressed.
"""

from base64 import b64decode
from mmap import mmap
from struct import pack, unpack
from unicodedata import normalize
from urllib.parse import unquote
from xml.etree import ElementTree as ET
from zlib import crc32

from exchange_verify.errors import require, within

MIMETYPE, STAMP, _FILES_MAX, _UTF8 = "mimetype", "META-INF/timestamp.tst", 65_000, 0x800
_ASIC, _DS = "{http://uri.etsi.org/02918/v1.2.1#}", "{http://www.w3.org/2000/09/xmldsig#}"
_REFERENCE = (f"{_ASIC}DataObjectReference", f"{_DS}DigestMethod", f"{_DS}DigestValue")
_SHA256 = {"Algorithm": "http://www.w3.org/2001/04/xmlenc#sha256"}


def read_zip(data: bytes | mmap, media_type: str) -> dict[str, slice]:
    """Where the files of a zip are, in its order; the first must be `mimetype` and say the media type."""
    files, places, at = dict[str, slice](), dict[str, int](), 0
    while data[at : at + 4] == b"PK\3\4":
        require(len(files) < _FILES_MAX, f"holds more than {_FILES_MAX} files")
        _, flags, method, _, packed, size, length, extra = unpack("<3H8s2L2H", data[at + 4 : at + 30])
        begin = at + 30 + length
        raw = data[at + 30 : begin]
        with within(repr(raw[:80])):  # names lead nowhere else, on any machine
            name = raw.decode("utf-8" if flags == _UTF8 else "ascii")
            odd = not name.isprintable() or {*name} & {*' \\:*?"<>|'} or normalize("NFC", name) != name
            odd = odd or any(not part or part != part.strip(".") for part in name.split("/"))
            require(not odd and len(raw) <= 400, "is no name that is taken")
        plain = flags in {0, _UTF8} and not method and packed == size and not extra
        require(plain, f"{name}: is compressed, encrypted, without its size, or has extra fields")
        require(name.casefold() not in places, f"{name}: there is another file of that name")
        require(begin + size <= len(data), f"{name}: ends early")
        files[name], places[name.casefold()] = slice(begin, begin + size), at
        at = begin + size
    end = at
    for place, (name, content) in zip(places.values(), files.items(), strict=True):
        # What stands in the file's own header, then its place; who made it and its rights stand here alone.
        own = b"PK\1\2" + data[end + 4 : end + 6] + data[place + 4 : place + 28] + bytes(6) + data[end + 36 : end + 42]
        own += pack("<L", place) + data[place + 30 : content.start]
        require(data[end : end + len(own)] == own, f"{name}: the zip's directory, which must follow its files, differs")
        require(pack("<L", crc32(data[content])) == data[place + 14 : place + 18], f"{name}: is damaged")
        end += len(own)
    last = pack("<4s4H2LH", b"PK\5\6", 0, 0, len(files), len(files), end - at, at, 0)
    require(data[end:] == last, "is no zip, or does not end with its directory")
    typed = [*files][:1] == [MIMETYPE] and data[files[MIMETYPE]] == media_type.encode()
    require(typed, f"{MIMETYPE}: is not the first file, or does not say {media_type}")
    return files


def read_manifest(data: bytes) -> tuple[bool, dict[str, bytes]]:
    """Whether a manifest is time-stamped, and the SHA-256 of each file that it names."""
    require(b"<!" not in data and b"&" not in data, "it declares something")
    root = ET.fromstring(data.decode())  # noqa: S314  # without declarations nothing can be expanded or fetched
    require(root.tag == f"{_ASIC}ASiCManifest", "it is no ASiCManifest")
    stamps = [each.attrib["URI"] for each in root if each.tag == f"{_ASIC}SigReference"]
    require(stamps in ([], [STAMP]), f"its time-stamp is not {STAMP}")
    digests = dict[str, bytes]()
    for each in root[len(stamps) :]:
        name, (method, value) = unquote(each.attrib["URI"], errors="strict"), each
        require((each.tag, method.tag, value.tag) == _REFERENCE, f"{name}: it is named in an odd way")
        require(method.attrib == _SHA256, f"{name}: it is named by a weak digest, not by SHA-256")
        require(name not in digests, f"{name}: it is named twice")
        digests[name] = b64decode(value.text or "", validate=True)
    return bool(stamps), digests
