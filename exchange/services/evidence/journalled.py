"""A letter's evidence, taken out of the journal so that openssl alone can check it.

<folder>/letter.statement      the exact bytes that the sender signed; their SHA-256 is the letter's id
<folder>/letter.p7s            the signature, with the sender's certificate put in (CAdES B-B)
<folder>/signer.crt.pem        that certificate
<folder>/root.crt.pem          the exchange's statement root, which the auditor has from elsewhere too
<folder>/decision.entry        the journal's entry: decision, statement and signature (the log's leaf)
<folder>/decision.json         the decision in words
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader
from exchange.bus.records import Record
from exchange.bus.topics import JOURNAL
from exchange.domain.decision import Decided, Decision, Journalled
from exchange.domain.errors import ExchangeError, WireError
from exchange.domain.ids import digest, journal_partition
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.files import write_atomically
from exchange.security.form import embed_certificate
from exchange.security.trust import Trust
from exchange.wire.records import decode, kind_of


class EvidenceMissing(ExchangeError):
    """The journal holds no decision about that letter."""

    code = "letter-not-journalled"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A letter's journal entry: its exact bytes and what they say."""

    entry: bytes
    decided: Decided


async def find_evidence(kafka: KafkaSettings, letters: Collection[bytes], partitions: int) -> dict[bytes, Evidence]:
    """Entries of the journal about `letters`, by digest; reads each partition concerned to its end.

    Raises:
        BusError: the journal cannot be read.
        EvidenceMissing: one of them is not there.
    """
    wanted = set(letters)
    places = {(JOURNAL, journal_partition(letter, partitions)): None for letter in wanted}
    found: dict[bytes, Evidence] = {}
    async with PositionedReader(kafka, places, fetch_wait_seconds=0.5) as reader:
        ends = await reader.end_offsets()
        while not reader.reached(ends) and wanted - set(found):
            for record in await reader.read(1.0):
                evidence = _evidence(record.value) if isinstance(record, Record) else None
                if evidence is not None and evidence.decided.decision.statement in wanted:
                    found[evidence.decided.decision.statement] = evidence
    if missing := wanted - set(found):
        message = f"the journal holds no decision about {min(missing).hex()}: check the id with `exchange letters`"
        raise EvidenceMissing(message)
    return found


def write_evidence(evidence: Evidence, folder: Path, directory: DirectoryFolder) -> None:
    """Write a letter's evidence into `folder`, which is made.

    Args:
        evidence: from `find_evidence`.
        folder: where the files go; older ones of the same name are replaced.
        directory: where the version that the decision names lies.

    Raises:
        DirectoryRefused: that version is missing or altered.
        SignatureRefused: the signature does not hold: the letter was refused for it, or the journal was altered.
        OSError: the folder cannot be written.
    """
    decided = evidence.decided
    trust = Trust(directory.version(decided.decision.directory_version))
    trust.verify_statement(decided.statement, decided.signature, decided.decision.decided)
    certificate = trust.certificate_of(decided.signature)
    write_atomically(folder / "letter.statement", decided.statement)
    write_atomically(folder / "letter.p7s", embed_certificate(decided.signature, certificate))
    write_atomically(folder / "signer.crt.pem", certificate.public_bytes(Encoding.PEM))
    write_atomically(folder / "root.crt.pem", b"".join(map(_pem, trust.directory.issuers)))
    write_atomically(folder / "decision.entry", evidence.entry)
    words = {**_words(decided.decision), "entry_sha256": digest(evidence.entry).hex()}
    write_atomically(folder / "decision.json", json.dumps(words, indent=1).encode())


def openssl_command(folder: Path) -> str:
    """The command that checks the signature with nothing of ours."""
    return (
        "openssl cms -verify -binary -inform DER"
        f" -in {folder}/letter.p7s -content {folder}/letter.statement -CAfile {folder}/root.crt.pem -out /dev/null"
    )


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def _evidence(value: bytes | None) -> Evidence | None:
    """The evidence in a journal record, None in records of other kinds."""
    try:
        entry = decode(Journalled, value or b"").entry
        return Evidence(entry, decode(Decided, entry)) if kind_of(entry) is Decided else None
    except WireError:
        return None


def _words(decision: Decision) -> dict[str, object]:
    values = {field.name: getattr(decision, field.name) for field in fields(decision)}
    place = values.pop("place")
    values |= {"lane": place.lane, "lane_number": place.number, "lane_previous": place.previous}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else value
