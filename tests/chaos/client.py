"""Programs of the bodies: they send, answer what arrives, and write down what they are told.

They use the exchange as any program of a body does, through the mailbox of its spool, and never give up: what
was not taken is handed in again under the same message id. They know nothing of what is being broken.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from exchange.agent.drafts import Drafting
from exchange.agent.errors import DraftRefused
from exchange.agent.mailbox import Mailbox, Received, SentLetter
from exchange.agent.ports import DraftLetter
from exchange.agent.spool import Spool
from exchange.agent.spool.outgoing import OutgoingState
from exchange.domain.errors import SpoolError
from tests.agent.edms import plain_letter, plain_receipt
from tests.chaos.history import Answered, Arrived, Forgotten, HandedIn, Heard, Outcome, Recorder, Settled

STEP_SECONDS = 0.7
LETTERS_A_STEP = 2
LISTEN_LETTERS = 30
"""Looked at in a step; where more wait they take turns, so that an outage costs no more than work."""
LARGE_SHARE, LARGE_BYTES, SMALL_BYTES = 0.03, 60_000, 600
STRAY_SHARE = 0.02
"""Of the letters: to a body that does not exist, so that refusals pass through all of it too."""
REFUSED_SHARE = 0.1
"""Of the letters that arrive: the document system does not want them."""
NOBODY = "nobody"
_LOOK = 8
_EVERYTHING = 1_000_000
_ENDS = {"registered", "refused"}
_FINAL = {OutgoingState.TAKEN, OutgoingState.REFUSED, OutgoingState.VOID}


@dataclass(slots=True)
class _Letter:
    """A letter of ours, as far as we were told what became of it."""

    draft: DraftLetter
    acknowledged: bool = False
    state: OutgoingState | None = None
    heard: set[tuple[str, str]] = field(default_factory=set)
    forgotten: bool = False
    """The spool does not know it any more, so nobody will tell us."""

    @property
    def done(self) -> bool:
        """Whether nothing more is to be expected."""
        if self.forgotten or self.state is not OutgoingState.TAKEN:
            return self.forgotten or self.state is not None
        ended = {actor for actor, event in self.heard if event in _ENDS}
        return ended >= set(self.draft.recipients)


@dataclass(slots=True)
class _Answer:
    """What we have to say about a letter that arrived, always in the same words."""

    letter: bytes
    event: str
    at: datetime
    number: str
    said: set[str] = field(default_factory=set)


class Correspondent:
    """One body's programs; one task runs it. `aside` keeps it away from the spool for a while."""

    def __init__(
        self, spool: Path, body: str, others: Sequence[str], drafting: Drafting, history: Recorder, random: Random
    ) -> None:
        """Nothing is opened yet; `spool` is the file."""
        self.body = body
        self.failures = 0
        """Calls that ended with an error, each of which was tried again."""
        self._path = spool
        self._others = others
        self._drafting = drafting
        self._history = history
        self._random = random
        self._lock = asyncio.Lock()
        self._spool: Spool | None = None
        self._letters: dict[str, _Letter] = {}
        self._answers: dict[bytes, _Answer] = {}

    async def run(self, closing: asyncio.Event) -> None:
        """Send until `closing`, and answer and listen until cancelled."""
        while True:
            async with self._lock:
                try:
                    await self._step(send=not closing.is_set())
                except (SpoolError, OSError):
                    self.failures += 1
                    await self._close()
            await asyncio.sleep(STEP_SECONDS * self._random.uniform(0.5, 1.5))

    @property
    def letters(self) -> int:
        """How many letters were taken from us."""
        return sum(letter.acknowledged for letter in self._letters.values())

    @property
    def receipts(self) -> int:
        """How many receipts were taken from us."""
        return sum(len(answer.said) for answer in self._answers.values())

    @property
    def owes(self) -> int:
        """How many letters and answers we could not hand in yet."""
        unsent = sum(not letter.acknowledged for letter in self._letters.values())
        return unsent + sum(answer.event not in answer.said for answer in self._answers.values())

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """The spool is nobody's of ours meanwhile: it may be closed, altered, replaced."""
        async with self._lock:
            await self._close()
            yield

    async def seen(self) -> dict[str, OutgoingState]:
        """How far the spool has brought each letter that it knows, by message id."""
        box = await self._open()
        found = {letter.message_id: letter.state for letter in await box.sent(_EVERYTHING)}
        await self._close()
        return found

    def say_again(self, before: Mapping[str, OutgoingState], now: Mapping[str, OutgoingState]) -> None:
        """The spool was replaced by an older copy: hand in what it has lost.

        What it had sent is not said again: it may have arrived, and then it would be said twice.

        Args:
            before: what the spool knew last, as `seen` says it.
            now: what the copy knows.
        """
        for name, letter in self._letters.items():
            if not letter.acknowledged or letter.done or name in now:
                continue
            if before.get(name) is OutgoingState.DRAFT:
                letter.acknowledged = False
            else:
                letter.forgotten = True
                self._history.write(Forgotten(time.time(), self.body, name))
        for answer in self._answers.values():
            answer.said.clear()

    async def _step(self, *, send: bool) -> None:
        box = await self._open()
        await self._hand_in(box)
        if send:
            for _ in range(self._random.randint(0, LETTERS_A_STEP)):
                draft = self._compose()
                self._letters[draft.message_id] = _Letter(draft)
            await self._hand_in(box)
        await self._look(box)
        await self._answer(box)
        await self._listen(box)

    async def _open(self) -> Mailbox:
        if self._spool is None:
            spool = Spool(self._path)
            await asyncio.to_thread(spool.__enter__)
            self._spool = spool
        return Mailbox(self._spool, self.body, self._drafting)

    async def _close(self) -> None:
        spool, self._spool = self._spool, None
        if spool is not None:
            await asyncio.to_thread(spool.__exit__)

    def _compose(self) -> DraftLetter:
        recipients = self._random.sample(self._others, self._random.choice((1, 1, 1, 2)))
        if self._random.random() < STRAY_SHARE:
            recipients = [NOBODY]
        size = LARGE_BYTES if self._random.random() < LARGE_SHARE else SMALL_BYTES
        return plain_letter(f"{self.body}-{len(self._letters) + 1:05}", *recipients, data=self._random.randbytes(size))

    async def _hand_in(self, box: Mailbox) -> None:
        """Everything that was not taken yet, in order, each until it is."""
        for letter in self._letters.values():
            if letter.acknowledged:
                continue
            try:
                await box.submit(letter.draft)
            except DraftRefused as refused:
                if refused.code != "message-id-repeated":
                    raise
            except SpoolError as error:
                self._history.write(self._handed_in(letter.draft, _outcome(error), error.code))
                raise
            letter.acknowledged = True
            self._history.write(self._handed_in(letter.draft, Outcome.ACKNOWLEDGED))

    async def _look(self, box: Mailbox) -> None:
        """Note what has arrived since we looked last."""
        for received in await self._news(box):
            arrived = received.arrived
            number = "" if self._random.random() < REFUSED_SHARE else f"01-{len(self._answers) + 1}"
            event = "registered" if number else "refused"
            self._answers[arrived.digest] = _Answer(arrived.digest, event, datetime.now(UTC), number)
            place, name = len(self._answers), arrived.letter.message_id
            self._history.write(Arrived(time.time(), self.body, place, name, arrived.sender, arrived.digest))

    async def _news(self, box: Mailbox) -> list[Received]:
        """Letters that we have not seen, oldest first."""
        count = _LOOK
        while True:
            newest = await box.arrived(count)
            if len(newest) < count or newest[-1].arrived.digest in self._answers:
                return [one for one in reversed(newest) if one.arrived.digest not in self._answers]
            count *= 4

    async def _answer(self, box: Mailbox) -> None:
        for answer in self._answers.values():
            for event in ("handed-over", answer.event):
                if event not in answer.said:
                    await self._say(box, answer, event)

    async def _say(self, box: Mailbox, answer: _Answer, event: str) -> None:
        words = plain_receipt(event, answer.at.isoformat(), _REASON[event], reg_number=answer.number)
        number = answer.number if event == answer.event else ""
        try:
            if event == "handed-over":
                await box.take(answer.letter)
            else:
                await box.say(answer.letter, words)
        except (DraftRefused, SpoolError) as error:
            line = Answered(time.time(), self.body, answer.letter, event, number, _outcome(error), error.code)
            self._history.write(line)
            if isinstance(error, DraftRefused):
                return  # a spool that was replaced has yet to hear of the letter
            raise
        answer.said.add(event)
        self._history.write(Answered(time.time(), self.body, answer.letter, event, number, Outcome.ACKNOWLEDGED))

    async def _listen(self, box: Mailbox) -> None:
        """Note what became of our letters."""
        waiting = [name for name, letter in self._letters.items() if letter.acknowledged and not letter.done]
        for name in self._random.sample(waiting, min(LISTEN_LETTERS, len(waiting))):
            seen = await box.sent_letter(name)
            if seen is not None:
                self._note(self._letters[name], seen)

    def _note(self, letter: _Letter, seen: SentLetter) -> None:
        name, now = seen.message_id, time.time()
        if letter.state is None and seen.state in _FINAL:
            letter.state = seen.state
            self._history.write(Settled(now, self.body, name, seen.digest or b"", seen.state.value, seen.reason))
        for heard in seen.heard:
            key = (heard.actor, heard.event.value)
            if key not in letter.heard:
                letter.heard.add(key)
                self._history.write(Heard(now, self.body, name, *key, heard.reg_number))

    def _handed_in(self, draft: DraftLetter, outcome: Outcome, code: str = "") -> HandedIn:
        return HandedIn(time.time(), self.body, draft.message_id, draft.recipients, outcome, code)


_REASON = {"handed-over": "", "registered": "", "refused": "wrong-addressee"}


def _outcome(error: DraftRefused | SpoolError) -> Outcome:
    """A disk that fails while it is written may have written; every other error says that nothing was."""
    return Outcome.UNKNOWN if error.code in {"spool-io", "spool-failed"} else Outcome.REFUSED
