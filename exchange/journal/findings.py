"""What an audit's replay reports."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from exchange.domain.delivery import Delivery, Position, State
from exchange.journal.deliveries import DeliveryKey

FINDINGS_KEPT = 1_000


class FindingCode(StrEnum):
    """What can be wrong with a journal."""

    UNREADABLE = "journal-unreadable"
    MISPLACED = "journal-misplaced"
    LANE_GAP = "lane-gap"
    LANE_REPEAT = "lane-repeat"
    LANE_CHAIN_BROKEN = "lane-chain-broken"
    SUBMISSION_DISORDER = "submission-disorder"
    ORIGIN_DISORDER = "origin-disorder"
    BASIS_INVALID = "basis-invalid"
    BASIS_ROLLED_BACK = "basis-rolled-back"
    BASIS_NOT_IN_FORCE = "basis-not-in-force"
    BASIS_UNKNOWN = "basis-unknown"
    DECISION_TIME = "decision-time-off"
    STATEMENT_DIGEST = "statement-digest-differs"
    NOT_TAKABLE = "statement-not-takable"
    CONTENTS_DIFFER = "contents-differ"
    VERDICT_DIFFERS = "verdict-differs"
    RECIPIENTS_DIFFER = "recipients-differ"


FINDING_TEXTS: dict[FindingCode, str] = {
    FindingCode.UNREADABLE: "a record of the journal is none: damaged, or written by somebody else",
    FindingCode.MISPLACED: "a record stands in another partition than that of its letter",
    FindingCode.LANE_GAP: "entries of a lane are missing",
    FindingCode.LANE_REPEAT: "a place of a lane is taken twice",
    FindingCode.LANE_CHAIN_BROKEN: "an entry names another one before it than the journal holds",
    FindingCode.SUBMISSION_DISORDER: "decisions of a lane do not follow the submissions' order",
    FindingCode.ORIGIN_DISORDER: "a statement was taken that was not its origin's next one",
    FindingCode.BASIS_INVALID: "a directory, policy or revocation list is not what the entry names, or not proven",
    FindingCode.BASIS_ROLLED_BACK: "a lane went back to an older directory or revocation list, or to another history",
    FindingCode.BASIS_NOT_IN_FORCE: "a decision names another directory or policy than its lane stood on",
    FindingCode.BASIS_UNKNOWN: "a decision names a directory or policy that the journal does not prove",
    FindingCode.DECISION_TIME: "a decision's time is far from the times of submission and journal",
    FindingCode.STATEMENT_DIGEST: "a decision is about another statement than the one beside it",
    FindingCode.NOT_TAKABLE: "a statement was taken whose signature does not hold, or that was not its signer's to say",
    FindingCode.CONTENTS_DIFFER: "contents are not what the statement committed to",
    FindingCode.VERDICT_DIFFERS: "the same inputs give another verdict",
    FindingCode.RECIPIENTS_DIFFER: "a decision names other recipients than the statement gives",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong, with its place.

    Attributes:
        position: of the record in the journal; of a gap, of the record behind it.
        lane: -1 when the record could not be read so far.
        number: in the lane; 0 when the record could not be read so far.
        detail: what was found, never content.
    """

    code: FindingCode
    position: Position
    lane: int
    number: int
    detail: str


@dataclass(frozen=True, slots=True)
class LaneEnd:
    """How far a lane was replayed: what its next entry must name."""

    number: int
    digest: bytes


class Coded(Protocol):
    """A finding of whatever kind."""

    @property
    def code(self) -> str:
        """What was found."""


Found = TypeVar("Found", bound=Coded)


@dataclass(slots=True)
class Findings(Generic[Found]):
    """What was found so far.

    Attributes:
        findings: the first 1,000, in the order of finding.
        found: all, counted by code.
    """

    findings: list[Found] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.found

    @property
    def counts(self) -> str:
        """How often each was found, to stand behind other words: `, 3 lane-gap`; empty when nothing was."""
        return "".join(f", {number} {code}" for code, number in sorted(self.found.items()))

    def add(self, finding: Found) -> None:
        """Count a finding, and keep it if it is among the first."""
        self.found[finding.code] += 1
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(finding)


@dataclass(slots=True)
class Report(Findings[Finding]):
    """What a replay saw.

    Attributes:
        records: of the journal.
        decisions: by verdict's reason, empty for acceptance.
        kinds: entries by lower-case kind of statement, `basis` included.
        directory_versions: proven ones.
        lanes: where each ended.
        flags: facts that the journal rightly holds but that change nothing, counted by code.
        states: deliveries by state.
    """

    records: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    directory_versions: set[int] = field(default_factory=set)
    lanes: dict[int, LaneEnd] = field(default_factory=dict)
    flags: Counter[str] = field(default_factory=Counter)
    states: Counter[State] = field(default_factory=Counter)

    @property
    def summary(self) -> str:
        """What was read and found, as the journal keeps it."""
        return f"{self.records} records{self.counts}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A delivery of which tracker and replay say different things; None: one of them has none."""

    letter: bytes
    recipient: str
    replayed: Delivery | None
    tracked: Delivery | None

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what differs."""
        replayed, tracked = self.replayed, self.tracked
        if replayed is None or tracked is None:
            return ("delivery",)
        return tuple(name for name in _COMPARED if getattr(replayed, name) != getattr(tracked, name))


_COMPARED = tuple(part.name for part in fields(Delivery))


def compare(
    replayed: Mapping[DeliveryKey, Delivery], tracked: Iterable[tuple[bytes, str, Delivery]]
) -> list[Difference]:
    """Where the tracker's deliveries differ from the replayed ones; empty when they are the same.

    Args:
        replayed: by (letter, recipient).
        tracked: rows of the tracker, each delivery once, as of the same positions.
    """
    differences = []
    missing = dict(replayed)
    for letter, recipient, delivery in tracked:
        difference = Difference(letter, recipient, missing.pop((letter, recipient), None), delivery)
        if difference.fields:
            differences.append(difference)
    differences.extend(
        Difference(letter, recipient, delivery, None) for (letter, recipient), delivery in missing.items()
    )
    return differences
