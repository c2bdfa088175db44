"""An entry of the log checked by itself, as far as its bytes and what it names allow. Pure but for where files are.

1. It is an entry of the journal: a decision with its statement, a basis, or a tick.
2. What it names as its ground, directory, policy and revocation lists, is proven under the auditor's root (rule 5.3).
3. The signature holds as of the decision's time and directory (rules 1.4, 3.2), and judged again, the verdict and the
   recipients are the same (rule 3.1).
4. Its times are possible: not decided before it arrived.
5. It stands in the partition of its letter.
6. Contents that are still kept are what was committed to (rule 1.5).

The log has neither contents nor the broker's time. Without contents a verdict is judged but for what they alone can
show; without a policy only its signature is verified. Both are counted, as is what is missing.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from exchange.domain.decision import Basis, Decided, Decision, Tick
from exchange.domain.delivery import Position
from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError, WireError
from exchange.domain.ids import digest, journal_partition
from exchange.domain.reason import Reason
from exchange.domain.statement import Commitment, Content, Letter, Receipt, Statement, commitment_digest, concerned
from exchange.journal.examine import Examined, Ground
from exchange.journal.findings import FindingCode
from exchange.journal.links import Link, taken
from exchange.journal.proofs import Proofs
from exchange.journal.recheck import about, examined_again, unlike
from exchange.security.crl import Crl, older_ones
from exchange.security.errors import DirectoryRefused, SignatureRefused
from exchange.security.trust import Trust
from exchange.wire.records import decode, decode_statement, kind_of, read_head


class Order(Protocol):
    """The entry that orders a deletion, as who deleted says (rule 5.1)."""

    @property
    def partition(self) -> int:
        """Of the journal."""
        ...

    @property
    def index(self) -> int:
        """In that partition's log."""
        ...


Fetch = Callable[[bytes, datetime], Content | Order | None]
"""An item of contents by its commitment and about when it was journalled; the order by which it was deleted; None when
it is not kept, and nobody ordered that."""
BY_CONTENTS = frozenset(
    {
        Reason.CONTENT_MISMATCH,
        Reason.CONTENT_TOO_LARGE,
        Reason.CARD_UNREADABLE,
        Reason.SIGNATORY_MISSING,
        Reason.SIGNATURE_MISSING,
        Reason.REDRIVE_MISMATCH,
    }
)
"""Refusals that only contents can show."""
_GroundKey = tuple[int, bytes, bytes]
_UNPROVEN = (ConfigurationError, SignatureRefused)


@dataclass(frozen=True, slots=True)
class Deleted:
    """An item that was deleted, with the place of the order."""

    commitment: bytes
    partition: int
    index: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What was seen of an entry.

    Attributes:
        kind: of what it says, lower case; empty when it cannot be read.
        link: for the chains; None when it cannot be read.
        reason: code of its refusal; empty when it was accepted, or is no decision.
        found: what is wrong, each with its detail.
        unjudged: whether a verdict could be repeated only in part, or not at all.
        kept: items of contents that were compared.
        deleted: items that were deleted by orders, which are for the caller to look at.
        missing: commitments of an accepted statement whose items are not kept.
        about: digest of the letter concerned, or of the statement; empty of no decision.
    """

    kind: str
    link: Link | None
    reason: str = ""
    found: tuple[tuple[FindingCode, str], ...] = ()
    unjudged: bool = False
    kept: int = 0
    deleted: tuple[Deleted, ...] = ()
    missing: tuple[bytes, ...] = ()
    about: bytes = b""


class Entries:
    """Checks entries one by one, in any order; not shared between threads."""

    def __init__(self, proofs: Proofs, versions: Callable[[int], Directory | None], fetch: Fetch | None) -> None:
        """Nothing is known yet.

        Args:
            proofs: proves what entries stand on.
            versions: versions of the directory by number, proven, by which groups are expanded.
            fetch: where contents are kept; None when they are out of reach.
        """
        self._proofs = proofs
        self._versions = versions
        self._fetch = fetch
        self._grounds: dict[_GroundKey, Ground | ConfigurationError | SignatureRefused | None] = {}
        self._trusts: dict[bytes, Trust] = {}

    def check(self, at: Position, entry: bytes) -> Checked:
        """The entry at a place, its index standing for the offset."""
        try:
            kind = kind_of(entry)
            if kind is Decided:
                return self._decided(at, entry, decode(Decided, entry))
            said = decode(Tick, entry) if kind is Tick else decode(Basis, entry)
        except WireError as error:
            return Checked("", None, found=((FindingCode.UNREADABLE, str(error)),))
        place = said.place
        link = Link(
            at.partition, at.offset, place.lane, place.number, place.previous, digest(entry), said.decided, said
        )
        found = tuple(self._prove(at, said)) if isinstance(said, Basis) else ()
        return Checked(type(said).__name__.lower(), link, found=found)

    def ground(self, basis: Basis) -> Ground | None:
        """What a basis stands on; None while files are not at hand.

        Raises:
            ConfigurationError: they do not prove it.
            SignatureRefused: a list's signature does not hold.
        """
        return self._ground(basis, (basis.directory_version, basis.directory_digest, basis.policy_digest))

    def _ground(self, named: Basis | Decision, key: _GroundKey) -> Ground | None:
        if key not in self._grounds:
            self._grounds[key] = self._proven(Basis(named.place, named.decided, *key))
        known = self._grounds[key]
        if isinstance(known, _UNPROVEN):
            raise known
        return known

    def older_lists(self, before: _GroundKey | None, basis: Basis) -> list[str]:
        """Revocation lists of a lane's basis that are older than those of its ground before, in words."""
        lists = () if before is None else self._lists(Basis(basis.place, basis.decided, *before))
        return [
            f"revocation list {crl.number} of {crl.issuer}, {crl.this_update}, after a newer one"
            for crl in older_ones(lists, self._lists(basis))
        ]

    def _lists(self, basis: Basis) -> tuple[Crl, ...]:
        """None where the ground cannot be proven, which is told where it is named."""
        try:
            ground = self.ground(basis)
        except _UNPROVEN:
            return ()
        return () if ground is None else self._proofs.crls((basis.directory_digest, basis.policy_digest))

    def _proven(self, basis: Basis) -> Ground | ConfigurationError | SignatureRefused | None:
        try:
            found = self._proofs.ground(basis)
        except (ConfigurationError, SignatureRefused) as error:
            return error
        if found is not None and found.directory.version != basis.directory_version:
            message = f"version {found.directory.version}, the basis says {basis.directory_version}"
            return DirectoryRefused(message, code="basis-invalid")
        return None if found is None else replace(found, versions=self._versions)

    def _prove(self, at: Position, basis: Basis) -> list[tuple[FindingCode, str]]:
        try:
            ground = self.ground(basis)
        except _UNPROVEN as error:
            return [(FindingCode.BASIS_INVALID, f"{error.code}: {error}")]
        if ground is None:
            return []
        return _misplaced(at, basis.directory_digest, ground.directory)

    def _decided(self, at: Position, entry: bytes, decided: Decided) -> Checked:
        decision = decided.decision
        try:
            ground = self._ground(
                decision, (decision.directory_version, decision.directory_digest, decision.policy_digest)
            )
        except _UNPROVEN as error:
            seen = _Seen(digest(decided.statement), unjudged=True)
            seen.found += [(FindingCode.BASIS_UNKNOWN, f"{error.code}: {error}")]
        else:
            seen = self._unjudged(at, decided) if ground is None else self._judged(at, decided, ground)
        head = read_head(decided.statement) if seen.statement is None else seen.statement.head
        link = Link(
            at.partition,
            at.offset,
            decision.place.lane,
            decision.place.number,
            decision.place.previous,
            digest(entry),
            decision.decided,
            taken(decision, seen.digest, head, seen.statement),
        )
        kind = "statement" if seen.statement is None else type(seen.statement).__name__.lower()
        return Checked(
            kind,
            link,
            decision.reason,
            tuple(seen.found),
            seen.unjudged,
            seen.kept,
            tuple(seen.deleted),
            tuple(seen.missing),
            concerned(seen.statement, decision.statement),
        )

    def _judged(self, at: Position, decided: Decided, ground: Ground) -> "_Seen":
        """Steps 3 to 6 under a whole ground."""
        decision = decided.decision
        seen = _Seen()
        examined = examined_again(decided, (), ground, partial(self._contents, decision, seen))
        seen.digest, seen.statement = examined.digest, examined.statement
        if _is_open_question(examined, decision.reason, contents=seen.whole):
            seen.unjudged = True
        else:
            seen.found += unlike(decision, examined)
        if decision.arrived - decision.decided > ground.policy.clock_skew:
            detail = f"arrived {decision.arrived}, decided {decision.decided}"
            seen.found.append((FindingCode.DECISION_TIME, detail))
        seen.found += _misplaced(at, about(examined), ground.directory)
        return seen

    def _contents(self, decision: Decision, seen: "_Seen", statement: Statement) -> tuple[Content, ...] | None:
        """Step 6; all items of an accepted statement, or None when one of them is not kept.

        What a redrive carries stands in the log already, and of what was refused nothing is kept.
        """
        if self._fetch is None or decision.reason or not isinstance(statement, Letter | Receipt):
            return None
        carried = []
        for commitment in statement.contents:
            content = self._fetch(commitment.digest, decision.decided)
            if content is None:
                seen.missing.append(commitment.digest)
            elif isinstance(content, Content):
                seen.kept += 1
                carried.append(content)
            else:
                seen.deleted.append(Deleted(commitment.digest, content.partition, content.index))
        seen.whole = len(carried) == len(statement.contents)
        if not seen.whole:
            seen.found += _altered(statement.contents, carried)
        return tuple(carried) if seen.whole else None

    def _unjudged(self, at: Position, decided: Decided) -> "_Seen":
        """Step 3 without a policy: the signature alone, and the place."""
        decision, said = decided.decision, digest(decided.statement)
        seen = _Seen(said, unjudged=True)
        with suppress(WireError):
            seen.statement = decode_statement(decided.statement)
        if decision.statement != said:
            seen.found.append((FindingCode.STATEMENT_DIGEST, f"the statement's digest is {said.hex()}"))
        trust = self._trust(decision.directory_version, decision.directory_digest)
        if trust is None:
            detail = f"directory version {decision.directory_version}"
            seen.found.append((FindingCode.BASIS_UNKNOWN, detail))
            return seen
        try:
            signer = trust.verify_statement(decided.statement, decided.signature, decision.decided)
        except SignatureRefused as error:
            seen.found.append((FindingCode.NOT_TAKABLE, error.reason.value))
        else:
            body = read_head(decided.statement).body
            if signer != body:
                seen.found.append((FindingCode.NOT_TAKABLE, f"{signer} signed for {body}"[:200]))
        seen.found += _misplaced(at, concerned(seen.statement, said), trust.directory)
        return seen

    def _trust(self, version: int, named: bytes) -> Trust | None:
        if named not in self._trusts:
            try:
                directory = self._proofs.directory(version, named)
            except DirectoryRefused:
                directory = None
            if directory is None:
                return None
            self._trusts[named] = Trust(directory)
        return self._trusts[named]


@dataclass(slots=True)
class _Seen:
    """What came out of a decision so far; `digest` is its statement's."""

    digest: bytes = b""
    statement: Statement | None = None
    found: list[tuple[FindingCode, str]] = field(default_factory=list)
    unjudged: bool = False
    whole: bool = False
    kept: int = 0
    deleted: list[Deleted] = field(default_factory=list)
    missing: list[bytes] = field(default_factory=list)


def _is_open_question(examined: Examined, reason: str, *, contents: bool) -> bool:
    """Whether what is not at hand may have given another verdict."""
    if examined.refusal is not None and examined.refusal.reason is Reason.GROUP_VERSION_MISSING:
        return True
    return not contents and examined.refusal is None and reason in BY_CONTENTS


def _altered(commitments: tuple[Commitment, ...], kept: list[Content]) -> Iterator[tuple[FindingCode, str]]:
    """Those of several items, of which some are gone, that are not what was committed to."""
    named = {commitment.digest for commitment in commitments}
    for content in kept:
        if (found := commitment_digest(content)) not in named:
            yield FindingCode.CONTENTS_DIFFER, f"an item is kept whose commitment is {found.hex()}"


def _misplaced(at: Position, letter: bytes, directory: Directory) -> list[tuple[FindingCode, str]]:
    due = journal_partition(letter, directory.journal_partitions)
    return [] if at.partition == due else [(FindingCode.MISPLACED, f"partition {due} is due")]
