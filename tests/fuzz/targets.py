"""Every parser of bytes that strangers write, as a table: what reads them, what it may refuse with, and seeds.

Both the fuzzer (`python -m tests.fuzz`) and the fast tests (`test_targets.py`) go by this table. A format that profiles
may name is in it by itself, whoever brings it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from zipfile import ZipFile

from cryptography import x509
from exchange_verify.steps import Verification
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from adapters.connectors.web.messages import decode_package
from adapters.formats import archive
from adapters.formats.dhx.send_document import SendDocument, read_request, write_request
from adapters.formats.dhx.soap import Headers, Subsystem
from adapters.plugins import formats
from adapters.ports import FormatPlugin
from exchange.agent.ports import Format
from exchange.domain.errors import ConfigurationError, DocumentError, ExchangeError, WireError
from exchange.domain.group import GroupInvalid, parse_group
from exchange.domain.planned import read_plan
from exchange.domain.policy import parse_policy
from exchange.resources import resource
from exchange.security import enrolment, form
from exchange.security.crl import CrlRefused, read_crl
from exchange.security.directory import entries, roots
from exchange.security.documents import Anchors
from exchange.security.errors import DirectoryRefused, EnrolmentRefused, SignatureRefused
from exchange.security.timestamps import Authorities, Imprint, TimestampError, token_of
from exchange.security.timestamps.record import EvidenceRecord
from exchange.services.evidence.container import asic_e
from exchange.tlog.errors import LogRefused
from exchange.tlog.note import Note, Verifier
from exchange.tlog.witness import AddCheckpoint, cosignatures
from exchange.wire import records, xml
from tests.adapters.support import DIRECTORY
from tests.fuzz.packages import Packages, packages_of
from tests.security.documents.reported import reports_on

TESTS = Path(__file__).parents[1]
OWN, GOLDEN, SIGNED = TESTS / "fuzz" / "seeds", TESTS / "golden", TESTS / "security" / "documents" / "samples"
DOCUMENTS = TESTS / "adapters" / "formats" / "samples"
LATER = datetime(2048, 1, 1, tzinfo=UTC)

PLAN = "code,kind,name_ky,name_ru\nak-bulun,ayil-okmotu,Ак-Булуң,Ак-Булун\n".encode()
Role = TypeVar("Role", Root, Timestamp, Snapshot, Targets)

NOTE = (
    "exchange/5f\n1\npcPaRwz9RiRjVdH0I9GhUuHnYvbId6RQ82dnbq4T1qk=\n\n"
    "— exchange/5f K2ZdYNoGgKgpZY8zIVQBJeqQKq55oLsv/yphGQA/JX/VG+mTVELpJtHauHasQnMARjK2f5QDgbRSE8qZIBKnJoLV4wk=\n"
).encode()
COSIGNATURE = (
    "— w.example "
    "lFjyegAAAABpIyqZRNSlIRt29XhkZ8kii4kvxWge+X3nBpkoa02B+iTwY7COqG+eXJoX4wRnb0DWJ93HcF71+TmG5bNPEI+nHUPmDw==\n"
).encode()
WITNESS = Verifier.parse("w.example+9458f27a+BHQiuYh1mAaOMsREipSa2ykND041ueAbDuXxoeYA/iZ0")

GROUPS = (b"kind:ministry", b"under:ak-suu, -kind:school", b"mfa, minjust")


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    Attributes:
        read: takes any bytes whatever.
        refusals: the only errors that it may raise.
        seeds: bytes that it understands, to begin with.
    """

    read: Callable[[bytes], object]
    refusals: tuple[type[ExchangeError], ...]
    seeds: tuple[bytes, ...]

    def feed(self, data: bytes) -> None:
        """Read `data`; any other error than the refusals is raised."""
        try:
            self.read(data)
        except self.refusals as refusal:
            assert refusal.code
            assert str(refusal)


def names() -> tuple[str, ...]:
    """Of all targets; nothing is read for that."""
    return (*(f"format-{name}" for name in formats()), *_OTHERS)


@cache
def target(name: str) -> Target:
    """The one of that name."""
    return _OTHERS[name]() if name in _OTHERS else _format(formats()[name.removeprefix("format-")])


def _format(plugin: FormatPlugin[Format]) -> Target:
    fmt = plugin.open(plugin.options())
    samples = {file.name: file.read_bytes() for file in sorted(DOCUMENTS.iterdir()) if file.is_file()}
    packages = packages_of(fmt, samples)
    return Target(partial(_parse, fmt, packages), (DocumentError,), packages.seeds())


def _parse(fmt: Format, packages: Packages, data: bytes) -> None:
    fmt.parse(packages.package(data), DIRECTORY)


def _archive() -> Target:
    seed = archive.pack({"document.xml": b"<a/>", "Кат №7.pdf": b"%PDF" * 20})
    return Target(lambda data: archive.unpack(data, "kat.zip"), (DocumentError,), (seed,))


def _dhx_request() -> Target:
    client = Subsystem("central-server", "GOV", "70000001", "DHX")
    capsule = (DOCUMENTS / "capsule_2.1.xml").read_bytes()
    call = SendDocument(Headers("7a1f", client, client, "sendDocument", "v1"), "К-1/2022", capsule, "70000003")
    content_type, body = write_request(call)
    return Target(partial(read_request, content_type), (DocumentError,), (body,))


def _web_package() -> Target:
    seed = b'{"name":"kat","files":[{"name":"document.xml","content":"PGEvPg=="}]}'
    return Target(lambda data: decode_package(data, "kat"), (DocumentError,), (seed,))


def _xml() -> Target:
    return Target(partial(xml.parse, name="x.xml"), (DocumentError,), _files(DOCUMENTS, "*.xml"))


def _record(read: Callable[[bytes], object]) -> Target:
    return Target(read, (WireError,), _files(GOLDEN, "*.avro"))


def _any_record(data: bytes) -> None:
    records.decode(records.kind_of(data), data)


def _document_signature() -> Target:
    letter, anchors = (SIGNED / "letter.txt").read_bytes(), Anchors.load(SIGNED / "anchors.pem")
    return Target(lambda data: reports_on(letter, data, anchors, LATER), (), _files(SIGNED, "*.p7s"))


def _timestamp() -> Target:
    authorities, imprint = Authorities.load(OWN / "time.root.pem"), Imprint.of(b"a checkpoint")
    return Target(lambda data: authorities.verify(token_of(data), imprint), (TimestampError,), _files(OWN, "*.tsr"))


def _evidence_record() -> Target:
    authorities = Authorities.load(OWN / "time.root.pem")
    read = partial(_verify_record, authorities)
    return Target(read, (TimestampError,), _files(OWN, "*.ers"))


def _verify_record(authorities: Authorities, data: bytes) -> None:
    EvidenceRecord.read(data).verify([b"a checkpoint"], authorities, LATER)


def _evidence_package() -> Target:
    with ZipFile(OWN / "case.asice") as whole:
        files = {name: whole.read(name) for name in whole.namelist() if name != "mimetype" and "META-INF" not in name}
    root, policy = (OWN / "case.root.json").read_bytes(), (OWN / "case.policy").read_text(encoding="utf-8")
    names = ["", *files]

    def read(data: bytes) -> None:
        """The first byte says which file the rest stands for; 0: for the package."""
        name = names[int.from_bytes(data[:1], "big") % len(names)]
        Verification(asic_e({**files, name: data[1:]}, None) if name else data[1:], root, policy, [], LATER).run()

    seeds = {"": (OWN / "case.asice").read_bytes(), **files}
    return Target(read, (), tuple(bytes((number,)) + seeds[name] for number, name in enumerate(names)))


def _revocations() -> Target:
    issuer = x509.load_der_x509_certificate((OWN / "issuer.crt").read_bytes())
    return Target(lambda data: read_crl(data, [issuer]), (CrlRefused,), _files(OWN, "*.crl"))


def _enrolment(read: Callable[[bytes], object], seeds: str) -> Target:
    return Target(read, (EnrolmentRefused, ConfigurationError), _files(OWN, seeds))


def _entry(read: Callable[[bytes], object], seeds: str) -> Target:
    return Target(read, (DirectoryRefused,), _files(OWN, seeds))


def _metadata(kind: type[Role]) -> Target:
    seed = Metadata(kind(expires=LATER)).to_bytes()
    return Target(partial(roots.parse, kind, name=kind.type), (DirectoryRefused,), (seed,))


def _policy() -> Target:
    return Target(parse_policy, (ConfigurationError,), _files(Path(str(resource("config"))), "policy.toml"))


def _witness_request() -> Target:
    note = Note.parse(NOTE)
    seeds = (bytes(AddCheckpoint(0, (), note)), bytes(AddCheckpoint(7, (bytes(32), bytes(range(32))), note)))
    return Target(AddCheckpoint.parse, (LogRefused,), seeds)


def _witness_answer() -> Target:
    note = Note.parse(NOTE)
    return Target(lambda data: cosignatures(data, note, [WITNESS]), (LogRefused,), (COSIGNATURE,))


def _group() -> Target:
    return Target(lambda data: parse_group(data.decode("utf-8", "replace")), (GroupInvalid,), GROUPS)


def _files(folder: Path, pattern: str) -> tuple[bytes, ...]:
    return tuple(file.read_bytes() for file in sorted(folder.glob(pattern)))


_OTHERS: Mapping[str, Callable[[], Target]] = MappingProxyType(
    {
        "archive": _archive,
        "dhx-request": _dhx_request,
        "directory-body": lambda: _entry(partial(entries.decode_body, code="mfa"), "*-body.json"),
        "directory-root": lambda: _metadata(Root),
        "directory-settings": lambda: _entry(entries.decode_settings, "*-settings.json"),
        "directory-snapshot": lambda: _metadata(Snapshot),
        "directory-targets": lambda: _metadata(Targets),
        "directory-timestamp": lambda: _metadata(Timestamp),
        "document-signature": _document_signature,
        "enrolment-answer": lambda: _enrolment(enrolment.decode_answer, "*-answer.json"),
        "enrolment-request": lambda: _enrolment(enrolment.decode_request, "*-request.json"),
        "evidence-package": _evidence_package,
        "evidence-record": _evidence_record,
        "group": _group,
        "plan": lambda: Target(lambda data: read_plan(data, DIRECTORY, frozenset()), (), (PLAN,)),
        "policy": _policy,
        "record": lambda: _record(_any_record),
        "record-head": lambda: _record(records.read_head),
        "record-statement": lambda: _record(records.decode_statement),
        "revocations": _revocations,
        "statement-signature": lambda: Target(form.parse, (SignatureRefused,), _files(OWN, "*.p7s")),
        "timestamp": _timestamp,
        "web-package": _web_package,
        "witness-answer": _witness_answer,
        "witness-request": _witness_request,
        "xml": _xml,
    }
)
