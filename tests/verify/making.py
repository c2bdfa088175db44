"""Packages for the verifier: true ones, and those of an exchange that lies in what it decides, logs or hands out."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from exchange_verify.steps import Verification

from exchange.domain.decision import Decided, Journalled
from exchange.domain.directory import Directory
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.domain.policy import in_force, parse_policy
from exchange.domain.statement import Content, Signed
from exchange.resources import resource
from exchange.security.crl import read_crl
from exchange.security.keys import KeyFiles, KeyPair, load_key_pair
from exchange.security.timestamps import Imprint
from exchange.security.trust import Trust
from exchange.services.evidence.container import Stamp, asic_e
from exchange.services.evidence.gathering import Gathered, Ground, Place, Said, TimeStamp
from exchange.services.evidence.package import make_case, stamped_statements
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import EMPTY_ROOT, inclusion_proof, leaf_hash, root
from exchange.tlog.note import Kind, Note, Signer
from exchange.tlog.proof import Path as Way
from exchange.tlog.proof import Proof
from exchange.wire.records import decode, decode_statement, encode, kind_of
from tests.journal.synthetic import SyntheticJournal
from tests.security.lists import revocation_list
from tests.security.timestamps.forging import Forger
from tests.services.evidence.memory import MemoryArchive
from tests.tlog.trees import tree_hashes
from tests.world import NOW, World

FILES = (b"%PDF-1.4 the letter", b"an annex")
STAMPED, LOOKED = NOW + timedelta(minutes=10), NOW + timedelta(days=1)
DAY = timedelta(days=1)
Alter = Callable[[Decided], Decided]


@dataclass
class WitnessedArchive(MemoryArchive):
    """An archive whose log of heads has some leaves, and of whose three witnesses two are asked for."""

    cosigning: int = 2

    @property
    def policy_text(self) -> str:
        keys = "".join(f"witness w{number} {each.verifier}\n" for number, each in enumerate(self.witnesses))
        return f"log {self.log.verifier}  # the exchange's\n{keys}group some 2 w0 w1 w2\nquorum some\n"

    @property
    def witnesses(self) -> list[Signer]:
        """Who looks whether the log only grows."""
        keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (2, 3, 4)]
        return [Signer(f"w{number}.example", Kind.COSIGNATURE, key) for number, key in enumerate(keys)]

    def proof(self, place: Place) -> Proof:
        leaves, heads = self._leaves(place.partition), self._head_leaves()
        path = tuple(inclusion_proof(place.index, len(leaves), tree_hashes(leaves)))
        above = tuple(inclusion_proof(1, len(heads), tree_hashes(heads)))
        return Proof(place.partition, Way(place.index, path), self._heads(), Way(1, above), self.checkpoint)

    def signed(self, text: str, cosigning: int) -> bytes:
        """A checkpoint, cosigned by so many."""
        cosigned = [each.sign(text, self.time + 1) for each in self.witnesses[:cosigning]]
        return str(Note(text, (self.log.sign(text), *cosigned))).encode()

    def _head_leaves(self) -> list[bytes]:
        heads = self._heads()
        empty = tuple(Head(0, EMPTY_ROOT) for _ in heads.logs)
        each = (Heads(self.time - 1, empty), heads, replace(heads, time=self.time + 1))
        return [leaf_hash(bytes(leaf)) for leaf in each]

    def _checkpoint(self) -> bytes:
        leaves = self._head_leaves()
        return self.signed(str(Checkpoint(self.log.name, 3, root(3, tree_hashes(leaves)))), self.cosigning)


@dataclass(frozen=True)
class Found:
    """What the verifier found: each step's sentence, why the next one does not hold, and the letter's story."""

    steps: tuple[str, ...]
    refused: str
    story: tuple[str, ...]
    unchecked: str

    @property
    def step(self) -> int:
        """The one that does not hold."""
        return len(self.steps) + 1


@dataclass
class Course:
    """A letter over two versions of the directory, with the keys of everybody."""

    world: World
    stamper: Forger
    authorities: list[x509.Certificate]
    revoked: Mapping[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Alpha writes to beta and gamma, then the directory changes."""
        self.crl = revocation_list(self.statement_root, self.revoked, this_update=NOW - DAY, next_update=NOW + DAY)
        file = resource("config", "policy.toml").read_bytes()
        self.policy = in_force(file, [[digest(self.crl)]])
        self.world.policy = parse_policy(self.policy)
        self.journal = SyntheticJournal(self.world)
        self.letter = self.journal.letter("alpha", "beta", "gamma", files=FILES)
        self.journal.registered("beta", self.letter, "alpha", "77-1")
        self.versions = {1: self.world.directory}
        self.change("beta", kind="agency")
        tracker = self.journal.speaker("exchange-tracker")
        self.journal.say("exchange-tracker", tracker.deadline(self.letter, "alpha", "gamma"))
        self.journal.receipt("gamma", self.letter, "alpha", Event.REFUSED, reason_text="не по адресу")
        self.refused = self.journal.letter("alpha", "nobody", message_id="lost")
        self.other = self.journal.letter("beta", "alpha", message_id="another")
        self.journal.receipt("alpha", self.other, "beta", Event.DELIVERED)
        self.journal.receipt("gamma", self.other, "beta", Event.REGISTERED)

    def change(self, code: str, **changes: object) -> Directory:
        """The next version of the directory, on which the journal stands from then on."""
        ground = self.world.change(replace(self.world.directory.bodies[code], **changes))  # type: ignore[arg-type]
        self.journal.stand_on(ground)
        self.versions[ground.directory.version] = ground.directory
        return ground.directory

    @cached_property
    def statement_root(self) -> KeyPair:
        """Of the authority that issues certificates for statements."""
        files = self.world.folder / "ca"
        return load_key_pair(KeyFiles(files / "statement.key.pem", files / "statement.crt.pem"))

    @cached_property
    def archive(self) -> WitnessedArchive:
        """What was decided, truly logged."""
        return self.archived(lambda decided: decided)

    def archived(self, alter: Alter) -> WitnessedArchive:
        """An archive of a journal in which each decision was made as `alter` says."""
        altered = SyntheticJournal.__new__(SyntheticJournal)
        altered.world = self.world
        altered.records = [replace(record, value=_altered(record.value, alter)) for record in self.journal.records]
        return WitnessedArchive(altered)

    def gathered(self, archive: WitnessedArchive, letter: Signed) -> Gathered:
        """All about a letter, with nothing looked at."""
        said = []
        for place in archive.places(letter.digest):
            entry = archive.entry(place)
            decided = decode(Decided, entry)
            directory = self.versions[decided.decision.directory_version]
            statement = decode_statement(decided.statement)
            trust = Trust(directory)
            crls = (read_crl(self.crl, [self.statement_root.certificate]),)
            ground = Ground(directory, self.policy, crls, trust)
            certificate = trust.certificate_of(decided.signature)
            proof = archive.proof(place)
            body = statement.head.body
            said.append(Said(place, entry, proof, decided, body, statement, ground, certificate))
        contents = {
            commitment.digest: archive.kept[commitment.digest]
            for each in said
            for commitment in getattr(each.statement, "contents", ())
        }
        return Gathered(letter.digest, tuple(said), contents, tuple(archive.stamps))

    def files(
        self,
        letter: Signed | None = None,
        *withhold: str,
        archive: WitnessedArchive | None = None,
        stamped: bool = False,
        tokens: Stamp | None = None,
    ) -> dict[str, bytes]:
        """A package's files; stamped: with time-stamps of signatures, or what `tokens` gives, and the checkpoint."""
        archive = archive or self.archive
        archive.stamps = [TimeStamp(3, archive.checkpoint, self.stamp(archive.checkpoint))] if stamped else []
        gathered = self.gathered(archive, letter or self.letter)
        case = make_case(gathered, self.world.published, archive.policy_text, withhold, stamped=stamped)
        report = {"report.en.html": b"<!doctype html>"}
        return {**case.files, **report, **(stamped_statements(case, tokens or self.tokens) if stamped else {})}

    def stamp(self, data: bytes) -> bytes:
        """An authority's response."""
        return self.stamper.response(Imprint.of(data), STAMPED)

    def package(self, *withhold: str, stamped: bool = False) -> bytes:
        """The letter's package."""
        return self.zipped(self.files(None, *withhold, stamped=stamped), stamped=stamped)

    def zipped(self, files: Mapping[str, bytes], *, stamped: bool = False) -> bytes:
        """Files with a manifest of theirs: anybody can make one."""
        return asic_e(files, self.tokens if stamped else None)

    def tokens(self, data: Sequence[bytes]) -> Sequence[bytes]:
        """Time-stamps of an authority, one for each."""
        return [self.stamper.token(Imprint.of(each), STAMPED) for each in data]

    def look(self, package: bytes | Mapping[str, bytes], **trusted: Any) -> Found:
        """What the verifier finds; files are put together first."""
        data = package if isinstance(package, bytes) else self.zipped(package)
        brought = {"root": self.world.root, "policy": self.archive.policy_text, "authorities": self.authorities}
        verification = Verification(data, **{**brought, "at": LOOKED, **trusted})
        steps, refused = verification.run()
        story = () if refused else tuple(said.told(verification.said[0]) for said in verification.said)
        return Found(tuple(steps), refused, story, "" if refused else verification.unchecked)

    def indexed(self, files: Mapping[str, bytes], change: Callable[[Any], object]) -> dict[str, bytes]:
        """The files with another index."""
        index = json.loads(files["case.json"])
        change(index)
        return {**files, "case.json": _written(index)}


def _written(index: object) -> bytes:
    return (json.dumps(index, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _altered(value: bytes, alter: Alter) -> bytes:
    carried = decode(Journalled, value)
    if kind_of(carried.entry) is not Decided:
        return value
    return encode(replace(carried, entry=encode(alter(decode(Decided, carried.entry)))))


def kept(data: bytes) -> Content:
    """A file as it lies beside an entry."""
    return Content(b"", data)


def id_of(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(data).hexdigest()


def flipped(data: bytes, at: int, by: int = 1) -> bytes:
    """The same with another byte."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


def inner(files: Mapping[str, bytes], container: str, name: str) -> bytes:
    """A file of a statement's container."""
    with zipfile.ZipFile(io.BytesIO(files[container])) as opened:
        return opened.read(name)


def zip_files(data: bytes) -> dict[str, bytes]:
    """All files of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
