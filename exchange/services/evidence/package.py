"""The package: its files in their order, and `case.json`, which says what each is (docs/evidence.md)."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.errors import ExchangeError
from exchange.domain.ids import digest
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.form import embed_certificates, parse
from exchange.services.evidence.container import Stamp, asic_e, asic_s, evidence_record
from exchange.services.evidence.events import named
from exchange.services.evidence.gathering import Gathered, Said
from exchange.services.evidence.proving import proving_files
from exchange.services.evidence.withholding import Item, items

FORMAT = "exchange-case/1"
CASE = "case.json"
LOG_POLICY = "log.policy"
ISSUERS = "directory/issuers.crt.pem"
FILES_MAX, BYTES_MAX = 64_900, 4_000_000_000
"""What fits into a zip that has one text, with room for reports and manifest: ZIP64 has several."""

STAMPED_MAX = 64
"""Of a package's statements so many are time-stamped, the first ones: an authority may take a second for each."""


class EvidenceTooLarge(ExchangeError):
    """More than one package can hold."""

    code = "evidence-too-large"


class Level(StrEnum):
    """How long the package proves by itself; the names are those of EN 319 122-1, clause 6."""

    B = "B"
    """Signatures and certificates; what was valid when is known from the exchange's log alone."""
    T = "T"
    """And a time-stamp of an authority over all of it."""
    LT = "LT"
    """And the issuers' revocation lists that each decision relied on."""
    LTA = "LTA"
    """And a time-stamp over the log's checkpoint as well, so that these lists were there by then."""


@dataclass(frozen=True, slots=True)
class Case:
    """A package before it is zipped.

    Attributes:
        exchange: id of the exchange.
        gathered: what it is made of.
        items: contents, those withheld without their bytes.
        level: what it proves by itself.
        index: what `case.json` says.
        files: by name, in order, without reports.
    """

    exchange: bytes
    gathered: Gathered
    items: tuple[Item, ...]
    level: Level
    index: Mapping[str, Any]
    files: Mapping[str, bytes]

    @property
    def stamped(self) -> bool:
        """Whether an authority is asked for the time of the package."""
        return self.level is not Level.B

    def stem(self, said: Said) -> str:
        """Number and kind of a statement, as in `0001-letter`."""
        return stem(self.gathered.said.index(said), said)


class Report(Protocol):
    """Tells people what the package holds."""

    def __call__(self, case: Case, /) -> Mapping[str, bytes]:
        """Files by name: `report.ky.html`, `report.ru.html`, `report.en.html`, `report.pdf`."""
        ...


def make_case(
    gathered: Gathered, directory: DirectoryFolder, log_policy: str, withhold: Collection[str], *, stamped: bool
) -> Case:
    """All files but the reports.

    Args:
        gathered: what the archive has.
        directory: where the versions lie that decisions name.
        log_policy: whose word about the log counted; its text.
        withhold: what is left out, see `items`.
        stamped: whether an authority will be asked for the time.

    Raises:
        ConfigurationError: `evidence-item-unknown`.
        EvidenceTooLarge: it has to be made for one body at a time, or with contents left out.
        DirectoryRefused: a file of the directory is missing or altered.
    """
    listed = items(gathered, withhold)
    level = _level(gathered, stamped=stamped)
    proving, versions = _directory(gathered, directory)
    policies = {f"policy/{_policy(each)}.toml": each.ground.policy for each in gathered.said}
    index = {
        "format": FORMAT,
        "exchange": directory.exchange.hex(),
        "letter": gathered.letter.hex(),
        "level": level.value,
        "events": [_event(number, said) for number, said in enumerate(gathered.said)],
        "contents": [_content(item) for item in listed],
        "directory": versions,
        "policy": next(iter(policies)),
        "time_stamps": [
            {"checkpoint": f"tokens/{stamp.size}.checkpoint", "response": f"tokens/{stamp.size}.tsr"}
            for stamp in gathered.stamps
        ],
    }
    files: dict[str, bytes] = {CASE: json.dumps(index, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"}
    for number, said in enumerate(gathered.said):
        files[f"statements/{stem(number, said)}.asics"] = _signed_statement(said)
        files[f"entries/{number + 1:04}.entry"] = said.entry
        files[f"entries/{number + 1:04}.proof"] = bytes(said.proof)
    files |= {f"contents/{item.name}": item.content.data for item in listed if item.content is not None}
    files |= {ISSUERS: _pem(gathered)} | proving | policies
    files |= {f"crls/{_crl_name(each.der)}": each.der for said in gathered.said for each in said.ground.crls}
    files[LOG_POLICY] = log_policy.encode()
    for stamp in gathered.stamps:
        pair = {f"tokens/{stamp.size}.checkpoint": stamp.checkpoint, f"tokens/{stamp.size}.tsr": stamp.response}
        files |= pair | (evidence_record(stamp.record, pair) if stamp.record else {})
    _require_room(files)
    return Case(directory.exchange, gathered, listed, level, index, files)


def write_package(case: Case, report: Report, stamp: Stamp | None) -> bytes:
    """The package's bytes; the same case gives the same bytes but for the time-stamps.

    An authority is asked for a time-stamp of each statement's signature, as far as `STAMPED_MAX` reaches, and then for
    one of the manifest, which names all files.

    Raises:
        ExchangeError: what `stamp` raises.
    """
    files = {**case.files, **report(case)}
    return asic_e(files if stamp is None else files | stamped_statements(case, stamp), stamp)


def stamped_statements(case: Case, stamp: Stamp) -> dict[str, bytes]:
    """The first statements with time-stamped signatures, in place of the same without."""
    chosen = case.gathered.said[:STAMPED_MAX]
    tokens = stamp([parse(said.decided.signature).value for said in chosen])
    return {
        f"statements/{case.stem(said)}.asics": _signed_statement(said, token)
        for said, token in zip(chosen, tokens, strict=True)
    }


def stem(number: int, said: Said) -> str:
    """Number and kind of a statement, as in `0001-letter`."""
    return f"{number + 1:04}-{named(said).kind or 'statement'}"


def _signed_statement(said: Said, time_stamp: bytes = b"") -> bytes:
    """A statement and its signature, into which certificates and revocation lists are put."""
    chain = (said.certificate.public_bytes(Encoding.DER), *said.ground.chain(said.certificate))
    lists = [crl.der for crl in said.ground.crls]
    return asic_s(said.decided.statement, embed_certificates(said.decided.signature, chain, lists, time_stamp))


def _event(number: int, said: Said) -> dict[str, Any]:
    decision, name = said.decided.decision, named(said)
    return {
        "kind": name.kind,
        "event": name.event,
        "etsi": name.etsi,
        "body": said.body,
        "statement": f"statements/{stem(number, said)}.asics",
        "digest": decision.statement.hex(),
        "entry": f"entries/{number + 1:04}.entry",
        "proof": f"entries/{number + 1:04}.proof",
        "decided": _time(decision.decided),
        "verdict": decision.verdict.value,
        "reason": decision.reason,
        "recipients": list(decision.recipients),
        "directory": decision.directory_version,
        "policy": f"policy/{_policy(said)}.toml",
        "crls": [f"crls/{_crl_name(crl.der)}" for crl in said.ground.crls],
    }


def _content(item: Item) -> dict[str, Any]:
    commitment = item.commitment
    return {
        "commitment": commitment.digest.hex(),
        "form": commitment.form.value,
        "media_type": commitment.media_type,
        "size": commitment.size,
        "statement": item.said.decided.decision.statement.hex(),
        "item": item.place,
        "file": None if item.content is None else f"contents/{item.name}",
        "salt": None if item.content is None else item.content.salt.hex(),
        "missing": None if item.missing is None else item.missing.value,
    }


def _directory(gathered: Gathered, folder: DirectoryFolder) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """Files that prove the signers' certificates, and for each version their names."""
    bodies: dict[int, list[str]] = {}
    for said in gathered.said:
        speaking = bodies.setdefault(said.ground.directory.version, [])
        if said.body not in speaking:
            speaking.append(said.body)
    digests = {each.ground.directory.version: each.ground.directory.digest for each in gathered.said}
    files: dict[str, bytes] = {}
    versions = []
    for version, speaking in sorted(bodies.items()):
        names = [f"directory/{name}" for name in proving_files(folder, version, speaking)]
        files |= {name: folder.read(name.removeprefix("directory/")) for name in names}
        versions.append({"version": version, "digest": digests[version].hex(), "files": names})
    return files, versions


def _level(gathered: Gathered, *, stamped: bool) -> Level:
    if not stamped:
        return Level.B
    if not all(said.ground.crls for said in gathered.said):
        return Level.T
    return Level.LTA if gathered.stamps else Level.LT


def _require_room(files: Mapping[str, bytes]) -> None:
    size = sum(map(len, files.values()))
    if len(files) > FILES_MAX:
        message = f"{len(files)} files, {FILES_MAX} are the most: make a package for each recipient, with --body CODE"
        raise EvidenceTooLarge(message)
    if size > BYTES_MAX:
        message = f"{size} bytes, {BYTES_MAX} are the most: leave out contents, with --withhold all or by the file"
        raise EvidenceTooLarge(message)


def _policy(said: Said) -> str:
    return said.decided.decision.policy_digest.hex()


def _crl_name(der: bytes) -> str:
    return f"{digest(der).hex()}.crl"


def _pem(gathered: Gathered) -> bytes:
    """Issuers of all versions, for stock tools; which of them count stands in the directory's own files."""
    issuers = dict.fromkeys(der for said in gathered.said for der in said.ground.directory.issuers)
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in issuers)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
