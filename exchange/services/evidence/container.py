"""Containers of ETSI EN 319 162-1: the zip, ASiC-S around one statement, the manifest of the ASiC-E around all.

The same files give the same bytes: entries are stored, not compressed, in their given order, under one fixed time.
So no entry is larger than it looks, and two exports of one case can be compared by their digests.
"""

import io
import re
import unicodedata
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Protocol
from urllib.parse import quote
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_STORED, ZipFile, ZipInfo

ASIC_E = b"application/vnd.etsi.asic-e+zip"
ASIC_S = b"application/vnd.etsi.asic-s+zip"
MIMETYPE = "mimetype"
STATEMENT = "statement"
SIGNATURE = "META-INF/signature.p7s"
MANIFEST = "META-INF/ASiCManifest.xml"
TIMESTAMP = "META-INF/timestamp.tst"
RECORD, RECORD_MANIFEST = "META-INF/evidencerecord.ers", "META-INF/ASiCEvidenceRecordManifest.xml"
_BEGINNING = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_UNIX = 3
_NAME_CHARACTERS = 80
_MEDIA_TYPES = {
    "asics": ASIC_S.decode(),
    "json": "application/json",
    "html": "text/html",
    "pdf": "application/pdf",
    "pem": "application/x-pem-file",
    "crl": "application/pkix-crl",
    "tsr": "application/timestamp-reply",
    "tst": "application/vnd.etsi.timestamp-token",
    "xml": "text/xml",
    "toml": "application/toml",
    "proof": "text/plain",
    "checkpoint": "text/plain",
    "policy": "text/plain",
}


class Stamp(Protocol):
    """Asks a time-stamp authority (RFC 3161)."""

    def __call__(self, data: Sequence[bytes], /) -> Sequence[bytes]:
        """Time-stamp tokens (DER, CMS), one over the SHA-256 of each of `data`."""
        ...


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of files by name, in that order."""
    stream = io.BytesIO()
    with ZipFile(stream, "w", ZIP_STORED, allowZip64=False) as archive:
        for name, data in files.items():
            info = ZipInfo(name, _BEGINNING)
            info.create_system, info.external_attr = _UNIX, _MODE
            archive.writestr(info, data)
    return stream.getvalue()


def asic_s(statement: bytes, signature: bytes) -> bytes:
    """A container of one statement and its signature (ASiC-S with CAdES, clause 4.3)."""
    return zipped({MIMETYPE: ASIC_S, STATEMENT: statement, SIGNATURE: signature})


def asic_e(files: Mapping[str, bytes], stamp: Stamp | None) -> bytes:
    """A container of files whose digests one manifest names, time-stamped if an authority is asked (clause 4.4).

    Without time-stamp the manifest has no `SigReference`, and the container is none of the standard yet: its
    statements are each in one that is.

    Args:
        files: by name; in `META-INF/` only what `evidence_record` gives.
        stamp: who gives the time; None: nobody.
    """
    manifest = asic_manifest(files, TIMESTAMP if stamp is not None else "")
    around = {MANIFEST: manifest} if stamp is None else {MANIFEST: manifest, TIMESTAMP: stamp([manifest])[0]}
    return zipped({MIMETYPE: ASIC_E, **around, **files})


def evidence_record(record: bytes, objects: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of an evidence record (RFC 4998) of some of a container's files (clause 4.4)."""
    return {RECORD_MANIFEST: asic_manifest(objects, RECORD), RECORD: record}


def asic_manifest(files: Mapping[str, bytes], proof: str) -> bytes:
    """Names, media types and SHA-256 of files (annex A.4).

    Args:
        files: by name.
        proof: where the time-stamp over this text is, or the evidence record of the files; empty for neither.
    """
    spaces = 'xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n',
        f"<asic:ASiCManifest {spaces}>\n",
        f"<asic:SigReference URI={quoteattr(proof)} MimeType={quoteattr(_media_type(proof))}/>\n" if proof else "",
        *(_reference(name, data) for name, data in files.items()),
        "</asic:ASiCManifest>\n",
    ]
    return "".join(lines).encode()


def safe_name(name: str) -> str:
    """A file's name as it may stand behind a folder's on any machine; empty when nothing of it can."""
    words = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", name))
    stem, dot, ending = words.strip("._-").rpartition(".")
    kept = _NAME_CHARACTERS - len(ending) - 1
    return f"{stem[:kept]}{dot}{ending}" if kept > 0 else words[:_NAME_CHARACTERS].strip("._-")


def _reference(name: str, data: bytes) -> str:
    return (
        f"<asic:DataObjectReference URI={quoteattr(quote(name))} MimeType={quoteattr(_media_type(name))}>"
        '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<ds:DigestValue>{b64encode(sha256(data).digest()).decode()}</ds:DigestValue>"
        "</asic:DataObjectReference>\n"
    )


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
