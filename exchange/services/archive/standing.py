"""What must be so before the archive signs anything: what was published is the beginning of what it has. Pure.

An archive that came back from a backup would else sign other heads for sizes that it signed before, and everybody
could prove that its log has two pasts. It stops instead, and a person begins a new log (rule 5.4).

1. What is on Kafka is a checkpoint of this log, signed by its key; or of the log before, which this one goes on for.
2. This log is as large, and its root at that size is the published one.
3. The heads under it are proven, and each partition's log has at their size the root that they name.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from exchange.domain.checkpoint import PublishedCheckpoint
from exchange.domain.errors import ConfigurationError
from exchange.tlog.checkpoint import Checkpoint, unproven
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Head, Heads
from exchange.tlog.merkle import leaf_hash, root_by_inclusion
from exchange.tlog.note import Signer
from exchange.tlog.policy import LogPolicy, Seen

_NAME = re.compile(r"exchange/([0-9a-f]{64})(?:/([1-9][0-9]{0,8}))?")
_NEXT_STEP = "sign nothing: bring the newest copy of the archive's folder back, or begin a new log, as archive.md says"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose word this log is.

    Attributes:
        signer: the log's key.
        policy: whose cosignatures count.
        after: last witnessed checkpoint of the log before, None for the first one.
    """

    signer: Signer
    policy: LogPolicy
    after: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """What is on our disk: the log of heads, and its root at a size that it has."""

    size: int
    root_at: Callable[[int], bytes]


def log_name(exchange: bytes, after: Checkpoint | None = None) -> str:
    """The name of an exchange's log (ADR 0018), or of the one that goes on for another.

    Raises:
        ConfigurationError: `log-name-invalid`: the one before is another exchange's.
    """
    name = f"exchange/{exchange.hex()}"
    if after is None:
        return name
    found = _NAME.fullmatch(after.origin)
    if found is None or found[1] != exchange.hex():
        message = f"'{after.origin[:100]}' is no log of this exchange, whose logs begin with {name}"
        raise ConfigurationError(message, code="log-name-invalid")
    return f"{name}/{int(found[2] or 1) + 1}"


def require_key(identity: Identity) -> None:
    """Look whether the policy knows the log by our key.

    Raises:
        ConfigurationError: `log-key-foreign`.
    """
    own, known = identity.signer.verifier, identity.policy.log
    if own != known:
        message = f"the policy's log is {known}, and here is {own}: write that line into the policy, or use its key"
        raise ConfigurationError(message, code="log-key-foreign")


def require_continued(published: PublishedCheckpoint, identity: Identity, own: Own) -> tuple[Head, ...]:
    """Steps 1 and 2, and the first half of 3.

    Returns:
        What each partition's log must have had, for `require_rebuilt`.

    Raises:
        LogRefused: `log-rolled-back`, `log-forked`; what is on Kafka is none: `note-invalid`, `proof-invalid`, ….
    """
    checkpoint = unproven(published.note)
    before = identity.after
    if checkpoint.origin == identity.policy.log.name:
        identity.policy.open(published.note)
        if checkpoint.size > own.size:
            message = f"a checkpoint of {checkpoint.size} heads was published, and here are {own.size}"
            raise LogRefused(f"{message}: {_NEXT_STEP}", code="log-rolled-back")
        if own.root_at(checkpoint.size) != checkpoint.root:
            raise _forked(f"the checkpoint of {checkpoint.size} heads that was published has another root")
    elif before is None or before.origin != checkpoint.origin or before.size > checkpoint.size:
        raise _forked(f"{checkpoint.origin[:100]} was published last, a log that this one does not go on for")
    leaf = leaf_hash(published.heads)
    if root_by_inclusion(leaf, checkpoint.size - 1, checkpoint.size, published.path) != checkpoint.root:
        message = "the heads that were published are not under their checkpoint: find out who wrote them"
        raise LogRefused(message, code="proof-invalid")
    return Heads.parse(published.heads).logs


def behind(owed: Sequence[Head], logs: Sequence[Head]) -> int:
    """How many entries are still missing of what was published."""
    return sum(max(0, owes.size - has.size) for owes, has in zip(owed, logs, strict=True))


def require_rebuilt(owed: Sequence[Head], root_at: Callable[[int, int], bytes]) -> None:
    """The other half of step 3, once nothing is missing.

    Args:
        owed: what was published.
        root_at: root of a partition's log at a size.

    Raises:
        LogRefused: `log-forked`.
    """
    for partition, head in enumerate(owed):
        if root_at(partition, head.size) != head.root:
            raise _forked(f"the first {head.size} entries of journal/{partition} are not those that were published")


def lost(entries: int) -> LogRefused:
    """The journal ends before what was published of it."""
    message = f"{entries} entries that were published are neither here nor in the journal"
    return LogRefused(f"{message}: {_NEXT_STEP}", code="log-rolled-back")


def _forked(what: str) -> LogRefused:
    return LogRefused(f"{what}: {_NEXT_STEP}", code="log-forked")


def last_witnessed(notes: Iterable[bytes], policy: LogPolicy) -> tuple[bytes, Seen]:
    """Of checkpoints that the old log signed, the largest that counts as witnessed.

    Args:
        notes: what is known, from Kafka, the folder and by hand.
        policy: of the old log.

    Raises:
        LogRefused: `log-unwitnessed`: there is none; what `LogPolicy.open` raises.
    """
    seen = [(note, policy.open(note)) for note in notes]
    witnessed = [each for each in seen if each[1].witnessed]
    if not witnessed:
        message = "no witnessed checkpoint of the old log is known: give one with --checkpoint, as a witness has it"
        raise LogRefused(message, code="log-unwitnessed")
    return max(witnessed, key=lambda each: each[1].checkpoint.size)
