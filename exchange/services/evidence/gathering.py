"""All that was said about a letter, taken out of the archive and looked at again before it is given to anybody.

1. The entries about the letter are those that the archive's index names, the letter's first, then in the log's order.
2. Each is the very bytes that the log has at its place, up to a checkpoint that the log's policy accepts.
3. Each names a version of the directory that its folder has, by its digest, and a policy.
4. Each statement's signature holds for a certificate that this version lists, as of the decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.decision import Decided
from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError, ExchangeError, WireError
from exchange.domain.policy import parse_policy
from exchange.domain.statement import Command, Content, Letter, Statement, commitment_digest
from exchange.security.crl import Crl, Revocations, read_crl
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.errors import DirectoryRefused
from exchange.security.trust import Trust
from exchange.tlog.policy import LogPolicy
from exchange.tlog.proof import Proof
from exchange.wire.records import decode, decode_statement, kind_of, read_head


class LetterNotArchived(ExchangeError):
    """The archive has no decision about that letter."""

    code = "letter-not-archived"


class EvidenceBroken(ExchangeError):
    """What the archive has does not prove what it should."""

    code = "evidence-broken"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry is: the journal's partition, and its index in that partition's log."""

    partition: int
    index: int


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """What an authority said of a checkpoint: the signed note, and its response (RFC 3161), both as kept.

    Attributes:
        record: the evidence record of these two (RFC 4998); empty while the archive has renewed nothing.
    """

    size: int
    checkpoint: bytes
    response: bytes
    record: bytes = b""


class Archive(Protocol):
    """Where a letter's evidence lies; a folder, or an address. It only reads."""

    def places(self, letter: bytes) -> Sequence[Place]:
        """Entries about a letter, in whatever order: the letter's own, receipts, deadlines, commands."""
        ...

    def entry(self, place: Place) -> bytes:
        """An entry's bytes: the log's leaf."""
        ...

    def proof(self, place: Place) -> Proof:
        """The way of an entry up to a checkpoint, the same one for all places."""
        ...

    def content(self, commitment: bytes) -> Content | None:
        """What a commitment, or the digest of a file without salt, stands for; None when it is not kept."""
        ...

    def time_stamps(self) -> Sequence[TimeStamp]:
        """Time-stamps over the very checkpoint that `proof` leads to; none when nobody was asked, or not yet."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """What a decision stood on, with what proves it.

    Attributes:
        directory: the version that it names.
        policy: bytes of the policy, by their digest.
        crls: the revocation lists in force.
    """

    directory: Directory
    policy: bytes
    crls: tuple[Crl, ...]
    trust: Trust

    def chain(self, leaf: x509.Certificate) -> tuple[bytes, ...]:
        """Certificates (DER) of those who issued it, up to a root that the directory lists."""
        issuers = {issuer.subject: issuer for issuer in map(x509.load_der_x509_certificate, self.directory.issuers)}
        found: dict[bytes, None] = {}
        at: x509.Certificate | None = issuers.get(leaf.issuer)
        while at is not None and (der := _der(at)) not in found:
            found[der] = None
            at = issuers.get(at.issuer)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Said:
    """A statement about the letter, decided and proven.

    Attributes:
        place: in the log.
        entry: the log's leaf.
        proof: of it.
        decided: the entry, read.
        body: who said it.
        statement: None when it cannot be read: it was refused for that.
        ground: what the decision stood on.
        certificate: the signer's.
    """

    place: Place
    entry: bytes
    proof: Proof
    decided: Decided
    body: str
    statement: Statement | None
    ground: Ground
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Gathered:
    """A letter's evidence.

    Attributes:
        letter: its digest.
        said: the letter first, then what followed, in the journal's order.
        contents: what was kept of all that the statements committed to, by commitment.
        stamps: over the checkpoint to which all proofs lead.
    """

    letter: bytes
    said: tuple[Said, ...]
    contents: Mapping[bytes, Content]
    stamps: tuple[TimeStamp, ...]


def gather(archive: Archive, letter: bytes, directory: DirectoryFolder, policy: LogPolicy) -> Gathered:
    """Take out of the archive all that proves what happened to a letter.

    Raises:
        LetterNotArchived: the archive has no decision about it; its last checkpoint may be older than the letter.
        EvidenceBroken: an entry names a policy or list that was not kept, or another directory than the folder's.
        LogRefused: a proof or checkpoint does not hold.
        DirectoryRefused: the folder lacks a version, or it was altered.
        SignatureRefused: a signature does not hold: the archive was altered.
    """
    grounds = _Grounds(archive, directory)
    found = []
    # By their place in the log, which is proven, and not by the index's word or the brokers' clocks.
    for place in sorted(archive.places(letter), key=lambda place: (place.partition, place.index)):
        entry = archive.entry(place)
        if kind_of(entry) is Decided:
            found.append(_said(place, entry, archive.proof(place), grounds, policy))
    # A body knows its letter's digest before it sends it, so a receipt may stand in the journal before the letter.
    said = tuple(sorted(found, key=lambda each: each.decided.decision.statement != letter))
    if not any(each.decided.decision.statement == letter for each in said):
        message = f"the archive holds no decision about {letter.hex()}: check the id, or wait for its next checkpoint"
        raise LetterNotArchived(message)
    contents = dict(_contents(archive, said))
    return Gathered(letter, said, contents, tuple(archive.time_stamps()))


def _said(place: Place, entry: bytes, proof: Proof, grounds: "_Grounds", policy: LogPolicy) -> Said:
    proof.verify(entry, policy)
    if (proof.log, proof.entry.index) != (place.partition, place.index):
        message = f"the archive's proof is of entry {proof.log}/{proof.entry.index}, not {place}: check the archive"
        raise EvidenceBroken(message)
    decided = decode(Decided, entry)
    ground = grounds.of(decided)
    body = ground.trust.verify_statement(decided.statement, decided.signature, decided.decision.decided)
    try:
        statement = decode_statement(decided.statement)
    except WireError:
        statement = None
    head = read_head(decided.statement) if statement is None else statement.head
    if head.body != body:
        message = f"the statement at {place.partition}/{place.index} is {body}'s, not its own body's: check the archive"
        raise EvidenceBroken(message)
    certificate = ground.trust.certificate_of(decided.signature)
    return Said(place, entry, proof, decided, body, statement, ground, certificate)


def _contents(archive: Archive, said: Iterable[Said]) -> Iterable[tuple[bytes, Content]]:
    for each in said:
        for commitment in getattr(each.statement, "contents", ()):
            content = archive.content(commitment.digest)
            if content is not None and content.salt:
                if commitment_digest(content) != commitment.digest:
                    message = "an item of the archive's contents is not what was committed to: check the archive"
                    raise EvidenceBroken(message)
                yield commitment.digest, content


class _Grounds:
    """What decisions stood on, each made once: trust is dear to make."""

    def __init__(self, archive: Archive, directory: DirectoryFolder) -> None:
        self._archive = archive
        self._directory = directory
        self._made: dict[tuple[bytes, bytes], Ground] = {}

    def of(self, decided: Decided) -> Ground:
        """What a decision names."""
        decision = decided.decision
        key = (decision.directory_digest, decision.policy_digest)
        if key not in self._made:
            directory = self._directory.version(decision.directory_version)
            if directory.digest != decision.directory_digest:
                message = f"version {directory.version} of the directory's folder is not the one that was decided by"
                raise DirectoryRefused(f"{message}: fetch it from another reader", code="directory-file-differs")
            self._made[key] = self._make(directory, decision.policy_digest)
        return self._made[key]

    def _make(self, directory: Directory, policy_digest: bytes) -> Ground:
        data = self._kept(policy_digest, "the policy")
        revocation = parse_policy(data).revocation
        issuers = [x509.load_der_x509_certificate(issuer) for issuer in directory.issuers]
        parts = [[self._kept(part, "a revocation list") for part in digests] for digests in revocation.crls]
        crls = tuple(read_crl(b"".join(each), issuers) for each in parts)
        return Ground(directory, data, crls, Trust(directory, Revocations(crls, revocation.when_stale)))

    def _kept(self, digest: bytes, what: str) -> bytes:
        content = self._archive.content(digest)
        if content is None or commitment_digest(content) != digest:
            message = f"the archive does not have {what} with the digest {digest.hex()}: take it from the journal again"
            raise EvidenceBroken(message)
        return content.data


def seen_by(gathered: Gathered, body: str) -> Gathered:
    """What of it is a recipient's to see: the letter, what it said itself, and what was said about its delivery.

    Args:
        gathered: all of it.
        body: who it is for; empty, or the letter's sender: all of it.

    Raises:
        ConfigurationError: `evidence-body-unknown`: it neither sent the letter nor got it.
    """
    own = gathered.said[0]
    if body in {"", own.body}:
        return gathered
    if body not in own.decided.decision.recipients:
        message = f"'{body[:80]}' neither sent the letter nor got it: name {own.body} or one of its recipients"
        raise ConfigurationError(message, code="evidence-body-unknown")
    kept = tuple(
        said for said in gathered.said if said is own or body in {said.body, getattr(said.statement, "recipient", "")}
    )
    return replace(gathered, said=kept)


def without_acts(gathered: Gathered) -> Gathered:
    """All but what people did at the console, since their sign-ins are signed parts of that."""
    return replace(gathered, said=tuple(said for said in gathered.said if not isinstance(said.statement, Command)))


def letter_of(gathered: Gathered) -> Letter | None:
    """The letter's statement; None when it cannot be read."""
    for each in gathered.said:
        if each.decided.decision.statement == gathered.letter and isinstance(each.statement, Letter):
            return each.statement
    return None


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
