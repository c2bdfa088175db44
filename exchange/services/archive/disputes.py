"""A witness says that it knows another log than ours: what it said is kept, and the policy says what that stops.

Nothing of such an answer is signed by our log's key, so it is a word and no proof: the witness may lie, or have been
put back itself. But it may be right, and then a checkpoint more would be the second past. What decides is whether a
rival checkpoint can count for anybody who goes by the policy:

- Those who cosigned ours never cosigned a rival: a witness remembers one past. If without them no quorum is left, no
  rival counts as witnessed. We go on, and the witness that disagrees is alarmed about.
- Otherwise a rival may have counted. Nothing larger is signed until enough witnesses cosign what is here.

What our own key signed and Kafka kept needs nobody's word: see `standing`.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from exchange.archive.errors import disk_error
from exchange.archive.layout import DISPUTES
from exchange.security.files import write_atomically
from exchange.services.witnessing import Answer, Outcome
from exchange.tlog.note import Note
from exchange.tlog.policy import LogPolicy, Seen

_WHY = "why.txt"
_ASKED = "asked.checkpoint"

log = logging.getLogger(__name__)


class Disputes:
    """Which witnesses disagree with us now, and the folder of what they said."""

    def __init__(self, policy: LogPolicy, folder: Path, now: Callable[[], datetime]) -> None:
        """Nobody was asked yet.

        Args:
            policy: whose cosignatures count.
            folder: the archive's.
            now: the clock.
        """
        self._policy = policy
        self._folder = folder / DISPUTES
        self._now = now
        self._disagreeing: dict[str, Answer] = {}

    def hear(self, note: Note, answers: Iterable[Answer]) -> None:
        """Take what witnesses said of a checkpoint; who disagreed once does so until it cosigns.

        Raises:
            ArchiveError: `archive-full`, `archive-unusable`.
        """
        for answer in answers:
            if answer.outcome is Outcome.COSIGNED:
                self._disagreeing.pop(answer.witness, None)
            elif answer.outcome.contradicts:
                self._disagreeing[answer.witness] = answer
                self._keep(note, answer)

    def stop(self, seen: Seen) -> str:
        """Why a checkpoint is not published with the cosignatures that it has; empty when it is."""
        if not self._disagreeing or not self._policy.is_met_without(seen.witnesses):
            return ""
        return "; ".join(f"{answer.outcome.value}: {answer.detail}" for answer in self._disagreeing.values())

    def _keep(self, note: Note, answer: Answer) -> None:
        """The first of a kind from each witness; whoever looked into it moves the folder away."""
        folder = self._folder / f"{quote(answer.witness, safe='')}-{answer.outcome.value}"
        if (folder / _WHY).exists():
            return
        why = (
            f"{answer.outcome.value}\ntime {int(self._now().timestamp())}\nwitness {answer.witness}\n{answer.detail}\n"
        )
        try:
            write_atomically(folder / _ASKED, str(note).encode())
            write_atomically(folder / _WHY, why.encode())  # the last: all is there
        except OSError as error:
            raise disk_error(error, str(folder)) from error
        log.error("what a witness says against this log is kept in %s", folder, extra={"witness": answer.witness})
