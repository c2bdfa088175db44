"""The witness protocol (C2SP tlog-witness): its request and answers as bytes, and how a witness judges.

A log asks by `POST <witness>/add-checkpoint`:

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=      consistency proof from the old size; none or more lines

    <checkpoint, a signed note>

and gets lines of cosignatures, or a status that says why not; 409 comes with the size that the witness knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from exchange.tlog.checkpoint import Checkpoint, hash_of, hash_text, size_of
from exchange.tlog.errors import LogRefused
from exchange.tlog.heads import Head
from exchange.tlog.merkle import PROOF_HASHES, verify_consistency
from exchange.tlog.note import NOTE_BYTES, Kind, Note, Verifier

SIZE_TYPE = "text/x.tlog.size"
"""Media type of an answer that is a size."""
PATH = "/add-checkpoint"
REQUEST_BYTES = NOTE_BYTES + 4096
"""No request is longer: a note, and 63 hashes before it."""
ANSWER_BYTES = 16 * 1024
"""Nobody reads more of an answer."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request.

    Attributes:
        old: size up to which the witness is thought to know the log.
        proof: consistency from there to the checkpoint.
        note: the signed checkpoint.
    """

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def __bytes__(self) -> bytes:
        """The request's body."""
        lines = (f"old {self.old}", *map(hash_text, self.proof), "", str(self.note))
        return "\n".join(lines).encode()

    @classmethod
    def parse(cls, data: bytes) -> "AddCheckpoint":
        """Read a request's body; nothing of it is believed.

        Raises:
            LogRefused: `witness-request-invalid`, `note-invalid`, `checkpoint-invalid`.
        """
        head, gap, note = data.partition(b"\n\n")
        first, *hashes = head.decode("latin-1").split("\n")
        if not gap or not first.startswith("old ") or len(hashes) > PROOF_HASHES or len(data) > REQUEST_BYTES:
            message = "the request is none of C2SP's tlog-witness: send old size, proof, empty line, checkpoint"
            raise LogRefused(message, code="witness-request-invalid")
        return cls(size_of(first.removeprefix("old ")), tuple(map(hash_of, hashes)), Note.parse(note))


class Verdict(Enum):
    """What a witness makes of a request by a log that it knows, signed as it should be."""

    COSIGN = 200
    """It only grew."""
    WRONG = 400
    """The old size is above the new one."""
    BEHIND = 409
    """The old size is not what the witness knows: the log is to ask again from there."""
    SPLIT = -409
    """Two roots of one size, both signed by the log: the log shows different ones. Answered as `BEHIND`."""
    UNPROVEN = 422
    """The proof does not show that the log only grew."""

    @property
    def status(self) -> int:
        """Of the HTTP answer."""
        return abs(self.value)


def judge(known: Head, request: AddCheckpoint, checkpoint: Checkpoint) -> Verdict:
    """Look whether a checkpoint continues what a witness knows, in the order that the protocol has.

    Args:
        known: size and root last cosigned; of a log never seen 0 and the empty root.
        request: what is asked.
        checkpoint: of the request's note, whose signature by the log was verified.
    """
    if request.old > checkpoint.size:
        return Verdict.WRONG
    if checkpoint.size == known.size and checkpoint.root != known.root:
        return Verdict.SPLIT
    if request.old != known.size:
        return Verdict.BEHIND
    try:
        verify_consistency(known.size, known.root, checkpoint.size, checkpoint.root, request.proof)
    except LogRefused:
        return Verdict.UNPROVEN
    return Verdict.COSIGN


def known_size(answer: bytes) -> int:
    """The size that a witness knows, out of an answer 409.

    Raises:
        LogRefused: `witness-answer-invalid`.
    """
    try:
        return size_of(answer.decode("latin-1").removesuffix("\n"))
    except LogRefused as error:
        message = "the witness's answer 409 is no size: it is none of C2SP's tlog-witness; check its address"
        raise LogRefused(message, code="witness-answer-invalid") from error


def cosignatures(answer: bytes, note: Note, keys: Iterable[Verifier]) -> tuple[str, ...]:
    """The lines of an answer 200 that are cosignatures by known keys; what others signed is passed over.

    Raises:
        LogRefused: `note-signature-invalid`: a line by a known key does not hold; `witness-answer-invalid`: there is
            none by these keys, or the answer is no lines of signatures.
    """
    known = [key for key in keys if key.kind is Kind.COSIGNATURE]
    try:
        answered = Note.parse(f"{note.text}\n".encode() + answer)
    except LogRefused as error:
        message = "the witness's answer is no lines of signatures: check its address"
        raise LogRefused(message, code="witness-answer-invalid") from error
    if answered.text == note.text:
        lines = [line for line in answered.lines if Note(note.text, (line,)).signed_by(known)]
        if lines:
            return tuple(lines)
    message = "the witness answered without a cosignature by its key: compare its key in the policy"
    raise LogRefused(message, code="witness-answer-invalid")
