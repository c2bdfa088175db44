"""Per core: sign, verify, decode, beside the raw operation of the library in the same run."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from bench.letters import CARD, Writer
from bench.report import Figure, report
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Names
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.statement import Signed
from exchange.security.authority import Authority
from exchange.security.cades import Signer
from exchange.security.keys import KeyPair, load_certificate, load_key_pair
from exchange.security.trust import Trust
from exchange.wire.records import decode as decode_record
from exchange.wire.records import decode_statement, encode

SECONDS = 2.0
NOW = datetime(2026, 3, 1, tzinfo=UTC)


async def sign() -> None:
    """A statement signed (CMS), beside the bare ECDSA signature."""
    with tempfile.TemporaryDirectory() as folder:
        _, pair = _authority(Path(folder))
        signed = _letter(Path(folder))
        signer = Signer(pair.certificate, pair.key)
        raw = _rate(lambda: pair.key.sign(signed.statement, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        ours = _rate(lambda: signer.sign(signed.statement, NOW))
    report(Figure("sign", ours, "statements/s/core", ours / raw, "raw P-256 signatures on one core"))


async def verify() -> None:
    """A statement verified (form, certificate, chain, signature), beside the bare ECDSA verification."""
    with tempfile.TemporaryDirectory() as folder:
        trust, pair = _trust(Path(folder))
        signed = _letter(Path(folder))
        public, value = pair.key.public_key(), pair.key.sign(signed.statement, ec.ECDSA(hashes.SHA256()))
        raw = _rate(lambda: public.verify(value, signed.statement, ec.ECDSA(hashes.SHA256())))
        ours = _rate(lambda: trust.verify_statement(signed.statement, signed.signature, NOW))
    report(Figure("verify", ours, "statements/s/core", ours / raw, "raw P-256 verifications on one core"))


async def decode() -> None:
    """A letter's record and statement decoded and found canonical; a card beside."""
    with tempfile.TemporaryDirectory() as folder:
        _authority(Path(folder))
        record = encode(_letter(Path(folder)))
        statement = decode_record(Signed, record).statement
        bare = _rate(lambda: decode_record(Signed, record))
        whole = _rate(lambda: decode_statement(decode_record(Signed, record).statement))
        canonical = _rate(lambda: decode_statement(statement))
        card = encode(CARD)
        cards = _rate(lambda: decode_record(type(CARD), card))
    report(Figure("decode", whole, "letters/s/core", whole / bare, "record alone"))
    report(Figure("decode.statement", canonical, "statements/s/core"))
    report(Figure("decode.card", cards, "cards/s/core"))


def _rate(work: Callable[[], object]) -> float:
    """Calls a second, the best of three rounds."""
    best = 0.0
    for _ in range(3):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS / 3:
            for _ in range(100):
                work()
            count += 100
        best = max(best, count / (time.perf_counter() - start))
    return best


def _authority(folder: Path) -> tuple[Authority, "_EcPair"]:
    authority = Authority(folder / "authority", now=NOW)
    pair = load_key_pair(authority.body("bench-000").statement)
    return authority, _EcPair(pair)


class _EcPair:
    """A key pair known to be an elliptic one."""

    def __init__(self, pair: KeyPair) -> None:
        if not isinstance(pair.key, ec.EllipticCurvePrivateKey):
            message = "the development authority makes P-256 keys"
            raise TypeError(message)
        self.key, self.certificate = pair.key, pair.certificate


def _trust(folder: Path) -> tuple[Trust, _EcPair]:
    authority, pair = _authority(folder)
    issuer = load_certificate(authority.statement_root).public_bytes(Encoding.DER)
    listed = ListedCertificate(pair.certificate.public_bytes(Encoding.DER), CertificateUse.STATEMENT)
    body = Body("bench-000", Names("", "", ""), "bench", BodyStatus.CONNECTED, certificates=(listed,))
    directory = Directory(
        ZERO_DIGEST, 1, ZERO_DIGEST, ZERO_DIGEST, NOW, 4, 4, (issuer,), MappingProxyType({"bench-000": body})
    )
    return Trust(directory), pair


def _letter(folder: Path) -> Signed:
    authority = Authority(folder / "authority", now=NOW)
    writer = Writer(ZERO_DIGEST, "bench-000", authority.body("bench-000").statement, NOW, seed=1)
    writer.open()
    return decode_record(Signed, writer.letter("bench-001"))
