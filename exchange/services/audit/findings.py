"""What can be wrong with the archive's logs, and where."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from exchange.journal.findings import FINDING_TEXTS, FindingCode, Findings, LaneEnd


class TreeCode(StrEnum):
    """What can be wrong with trees and what is signed of them."""

    CHECKPOINT_REFUSED = "checkpoint-refused"
    CHECKPOINT_UNWITNESSED = "checkpoint-unwitnessed"
    CHECKPOINT_ROOT = "checkpoint-root-differs"
    LOG_WENT_BACK = "log-went-back"
    HEADS_INVALID = "heads-invalid"
    HEADS_WENT_BACK = "heads-went-back"
    ROOT_DIFFERS = "root-differs"
    ENTRY_ALTERED = "entry-altered"
    TILE_ALTERED = "tile-altered"
    FILE_UNREADABLE = "file-unreadable"
    CONTENTS_MISSING = "contents-missing"


TREE_TEXTS: dict[TreeCode, str] = {
    TreeCode.CHECKPOINT_REFUSED: "the newest checkpoint is not the log's, or was altered",
    TreeCode.CHECKPOINT_UNWITNESSED: "fewer witnesses cosigned the newest checkpoint than the policy asks for",
    TreeCode.CHECKPOINT_ROOT: "the heads are not those that the checkpoint was signed over",
    TreeCode.LOG_WENT_BACK: "the log is shorter, or another one, than when it was verified before",
    TreeCode.HEADS_INVALID: "an entry of the log of heads has another form than it must have",
    TreeCode.HEADS_WENT_BACK: "heads contradict those before them: a log became shorter, or time went back",
    TreeCode.ROOT_DIFFERS: "the entries up to here are not those whose root the heads state",
    TreeCode.ENTRY_ALTERED: "an entry is not the one that its tile was made of",
    TreeCode.TILE_ALTERED: "a tile is not what the tile below it gives",
    TreeCode.FILE_UNREADABLE: "a file of the log is missing, torn or damaged",
    TreeCode.CONTENTS_MISSING: "contents of an accepted statement are gone, and no order to delete them is in the log",
}


def text_of(code: FindingCode | TreeCode) -> str:
    """What a finding means."""
    return TREE_TEXTS[code] if isinstance(code, TreeCode) else FINDING_TEXTS[code]


HOLDS = "everything holds"
FOUND = "something was found"


def concluded(words: str, *, sound: bool) -> str:
    """What came of a check as the journal keeps it: how it ended first, by which it is known again."""
    return f"{HOLDS if sound else FOUND}, {words}"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something wrong, with its place.

    Attributes:
        log: its name; empty for the checkpoint itself.
        index: of the entry in it; -1 where it is about no single one.
        file: where that lies, under the log's name.
        detail: what was found, never content.
    """

    code: FindingCode | TreeCode
    log: str
    index: int
    file: str
    detail: str


@dataclass(slots=True)
class Verified(Findings[Wrong]):
    """What a verification saw.

    Attributes:
        log: the log's name.
        heads: entries of the log of heads.
        entries: of the journal's logs.
        until: up to when, as the last heads say; None when there are none.
        witnesses: how many cosigned the newest checkpoint.
        witnessed: whether these are enough.
        kinds: entries by lower-case kind of statement, `basis` and `tick` included.
        decisions: by verdict's reason, empty for acceptance.
        unjudged: decisions that could be repeated only in part: contents or policy are not at hand.
        kept: items of contents that were compared.
        deleted: items that were deleted by an order that stands in the log.
        lanes: where each ended.
    """

    log: str = ""
    heads: int = 0
    entries: int = 0
    until: datetime | None = None
    witnesses: int = 0
    witnessed: bool = False
    kinds: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    unjudged: int = 0
    kept: int = 0
    deleted: int = 0
    lanes: dict[int, LaneEnd] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """What was verified and found, as the journal keeps it."""
        return f"{self.entries} entries up to heads {self.heads}{self.counts}"
