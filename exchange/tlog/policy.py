"""Whose word about a log counts: the log's key, its witnesses, and how many of these are needed.

The text is the one that Sigsum, Tessera and Go's tools use for this, with keys as `NAME+ID+KEY`:

    log exchange/3f…+6a0c1d2e+AX…
    witness justice witness.justice+12345678+BH… https://witness.justice.example
    witness archive-of-state archive.example+9abcdef0+BA…
    group witnesses 2 justice archive-of-state
    quorum witnesses

A witness's address is for the archive, which asks it; who only verifies needs none. `quorum none` asks for no witness.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.note import Kind, Note, Verifier

NOBODY = "none"
"""Name of the quorum that asks for no witness."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns: its key, and where it is asked; empty when nobody here asks it."""

    name: str
    key: Verifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these, witnesses or groups, by name."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint whose signature by the log holds.

    Attributes:
        checkpoint: what was signed.
        witnesses: when each witness that cosigned it says that it did, seconds since 1970, by name.
        witnessed: whether these are as many as the policy asks for.
    """

    checkpoint: Checkpoint
    witnesses: Mapping[str, int]
    witnessed: bool


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """Whose word about a log counts.

    Attributes:
        log: its key, which is called as the log is.
        witnesses: those who are known.
        groups: by name.
        quorum: name of a witness or group; `none` when no witness is needed.
    """

    log: Verifier
    witnesses: tuple[Witness, ...]
    groups: Mapping[str, Group]
    quorum: str = NOBODY

    def open(self, data: bytes) -> Seen:
        """Read a signed checkpoint.

        Raises:
            LogRefused: `note-invalid`, `note-signature-invalid`, `checkpoint-invalid`; `checkpoint-foreign`: it is
                another log's, or the log has not signed it.
        """
        note = Note.parse(data)
        checkpoint = Checkpoint.parse(note.text)
        signed = note.signed_by([self.log, *(witness.key for witness in self.witnesses)])
        if checkpoint.origin != self.log.name or self.log not in signed:
            message = f"the checkpoint is not signed by {self.log.name[:100]}: compare the log's key in the policy"
            raise LogRefused(message, code="checkpoint-foreign")
        witnesses = {witness.name: signed[witness.key] for witness in self.witnesses if witness.key in signed}
        return Seen(checkpoint, witnesses, self._is_met(self.quorum, witnesses))

    def is_met_without(self, names: Collection[str]) -> bool:
        """Whether all other witnesses than these make a checkpoint count: a rival of the one that these cosigned."""
        return self._is_met(self.quorum, {witness.name for witness in self.witnesses} - {*names})

    def _is_met(self, name: str, witnesses: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name == NOBODY or name in witnesses
        return sum(self._is_met(member, witnesses) for member in group.members) >= group.threshold


def parse_log_policy(text: str) -> LogPolicy:
    """Read a policy.

    Raises:
        LogRefused: `log-policy-invalid`, naming the line; `log-key-invalid`.
    """
    reading = _Reading()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            try:
                reading.take(*words)
            except (TypeError, ValueError) as error:
                detail = str(error) if isinstance(error, ValueError) else "has too many words, or too few"
                message = f"line {number} of the log's policy: {detail}: write it as docs/auditor.md shows"
                raise LogRefused(message, code="log-policy-invalid") from error
    if reading.log is None or reading.quorum is None:
        message = "the log's policy needs one line `log` and one line `quorum`: write it as docs/auditor.md shows"
        raise LogRefused(message, code="log-policy-invalid")
    return LogPolicy(reading.log, tuple(reading.witnesses.values()), reading.groups, reading.quorum)


class _Reading:
    """What was read of a policy so far."""

    def __init__(self) -> None:
        self.log: Verifier | None = None
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None

    def take(self, word: str, *rest: str) -> None:
        """One line."""
        match word:
            case "log":
                self._take_log(*rest)
            case "witness":
                self._take_witness(*rest)
            case "group":
                self._take_group(*rest)
            case "quorum":
                self._end(*rest)
            case _:
                message = f"'{word[:40]}' is none of log, witness, group, quorum"
                raise ValueError(message)

    def _take_log(self, key: str, _url: str = "") -> None:
        verifier = Verifier.parse(key)
        if self.log is not None or verifier.kind is not Kind.NOTE:
            message = "there is one log, with a key that signs notes"
            raise ValueError(message)
        self.log = verifier

    def _take_witness(self, name: str, key: str, url: str = "") -> None:
        verifier = Verifier.parse(key)
        if verifier.kind is not Kind.COSIGNATURE or verifier in {witness.key for witness in self.witnesses.values()}:
            message = "a witness has a key of its own, which cosigns"
            raise ValueError(message)
        self.witnesses[self._new(name)] = Witness(name, verifier, url)

    def _take_group(self, name: str, threshold: str, *members: str) -> None:
        named = {"any": 1, "all": len(members)}
        number = named[threshold] if threshold in named else int(threshold)
        if not members or len(set(members)) != len(members) or not 1 <= number <= len(members):
            message = "a group names its members once each, and how many of them are enough"
            raise ValueError(message)
        for member in members:
            self._require_known(member)
        self.groups[self._new(name)] = Group(number, members)

    def _end(self, name: str) -> None:
        if name != NOBODY:
            self._require_known(name)
        if self.quorum is not None:
            message = "there is one quorum"
            raise ValueError(message)
        self.quorum = name

    def _new(self, name: str) -> str:
        if name == NOBODY or name in self.witnesses or name in self.groups:
            message = f"'{name[:40]}' is a name already"
            raise ValueError(message)
        return name

    def _require_known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            message = f"'{name[:40]}' is no witness or group of the lines before"
            raise ValueError(message)
