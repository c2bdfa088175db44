"""From the spool into the EDMS, in four steps between any two of which the agent may be killed.

    1. stage     the package is durable at the EDMS, unseen           repeated: replaced
    2. mark      the spool says `staged`                              from here on never staged again
    3. publish   the package is shown                                 repeated: nothing happens
    4. mark      the spool says `handed`, with the receipt about it   in one transaction

So nothing is lost and nothing is shown twice.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.agent.arrivals import open_letter
from exchange.agent.bounds import BYTES_AT_ONCE
from exchange.agent.drafts import Words, own_receipt_key
from exchange.agent.errors import NO_MEMORY
from exchange.agent.intake import Edms
from exchange.agent.office import Office, Wake
from exchange.agent.rendering import arrived_letter, arrived_receipt, is_wanted
from exchange.agent.spool import incoming, outgoing
from exchange.agent.spool.incoming import ArrivalKind, ArrivalState, Kept
from exchange.agent.status import Waits
from exchange.agent.tracing import tell_handed
from exchange.domain.card import ReceiptCard
from exchange.domain.errors import ExchangeError, fault
from exchange.domain.event import Event
from exchange.domain.reason import Reason

log = logging.getLogger(__name__)

PART = "handover"
ARRIVALS = 50
"""Arrivals of one round at most."""
ID_CHARACTERS = 200
TEXT_CHARACTERS = 1000
"""What a receipt of our own repeats at most: of a stranger's letter an id may have half a megabyte."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step went: the state that it leads to; None when it may be tried again."""

    kept: Kept
    state: ArrivalState | None
    code: str = ""
    message: str = ""


class Handover:
    """Hands over what arrived for one body; `run` is its task."""

    def __init__(self, office: Office, body: str, edms: Edms, waits: Waits, wake_outbound: Wake) -> None:
        """`wake_outbound` is called when there are receipts to send."""
        self._office = office
        self._body = body
        self._edms = edms
        self._waits = waits
        self._wake_outbound = wake_outbound
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something arrived."""
        self._woken.set()

    async def run(self) -> None:
        """Hand over until cancelled; a spool that fails for a while is waited out."""
        attempts = 0
        while True:
            self._woken.clear()
            try:
                async with self._office.desks:
                    busy = await self._round()
            except ExchangeError as error:
                if not error.retriable:
                    raise
                attempts += 1
                self._waits.on(PART, error.code, str(error), self._office.clock())
                await asyncio.sleep(self._office.timing.backoff(attempts))
                continue
            attempts = 0
            if not busy:
                await self._pause()

    async def _round(self) -> bool:
        """Hand over what is due, as much as fits into one round; whether there was anything."""
        now, longest = self._office.clock(), timedelta(seconds=self._office.timing.retry_at_most)
        due = await self._office.spool.run(
            lambda connection: incoming.to_hand_over(connection, self._body, now, ARRIVALS, BYTES_AT_ONCE, longest)
        )
        fresh = [kept for kept in due if kept.state is ArrivalState.RECEIVED]
        staged = await self._step(self._stage, fresh)
        ready = [kept for kept in due if kept.state is ArrivalState.STAGED]
        ready += [outcome.kept for outcome in staged if outcome.state is ArrivalState.STAGED]
        published = await self._step(self._publish, ready)
        self._report([*staged, *published])
        self._tell([*staged, *published], now)
        return bool(due)

    def _key(self, kept: Kept) -> str:
        """Of this hand-over and no other: a letter to two bodies of one document system is handed over twice."""
        return f"{kept.digest.hex()}-{self._body}"

    async def _step(self, act: Callable[[Kept], Outcome], arrivals: Sequence[Kept]) -> list[Outcome]:
        """Do one step for all, then note in one transaction how it went."""
        if not arrivals:
            return []
        outcomes = await asyncio.to_thread(lambda: [self._attempt(act, kept) for kept in arrivals])
        await self._office.spool.run(lambda connection: self._note(connection, outcomes))
        self._wake_outbound()
        return outcomes

    def _attempt(self, act: Callable[[Kept], Outcome], kept: Kept) -> Outcome:
        try:
            return act(kept)
        except ExchangeError as error:
            state = None if error.retriable else ArrivalState.FAILED
            return Outcome(kept, state, error.code, str(error))
        except OSError as error:
            return Outcome(kept, None, "edms-unavailable", str(error))
        except MemoryError:
            return Outcome(kept, None, "out-of-memory", NO_MEMORY)
        except Exception as error:  # noqa: BLE001
            # A connector or format is foreign code: its bug must not stop the other letters.
            log.error("%s: handing over %s failed: %s", self._body, kept.digest.hex(), fault(error))  # noqa: TRY400
            return Outcome(kept, ArrivalState.FAILED, Reason.HAND_OVER_FAILED.value, type(error).__name__)

    def _stage(self, kept: Kept) -> Outcome:
        """Step 1, in a thread."""
        directory = self._office.history.directory
        if kept.kind is ArrivalKind.LETTER:
            package = self._edms.format.render_letter(arrived_letter(kept), self._body, directory)
        else:
            receipt, ack = arrived_receipt(kept)
            if not is_wanted(receipt, ack):
                return Outcome(kept, ArrivalState.SKIPPED)
            word = self._edms.format.render_receipt(receipt, self._body, directory)
            if word is None:
                return Outcome(kept, ArrivalState.SKIPPED)
            package = word
        self._edms.connector.stage(self._key(kept), package)
        return Outcome(kept, ArrivalState.STAGED)

    def _publish(self, kept: Kept) -> Outcome:
        """Step 3, in a thread."""
        self._edms.connector.publish(self._key(kept))
        return Outcome(kept, ArrivalState.HANDED)

    def _note(self, connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> None:
        """Steps 2 and 4."""
        now = self._office.clock()
        for outcome in outcomes:
            kept = outcome.kept
            if outcome.state is None:
                until = now + timedelta(seconds=self._office.timing.backoff(kept.attempts + 1))
                incoming.postpone(connection, kept.row, until, outcome.code, outcome.message)
                continue
            incoming.mark(connection, kept.row, outcome.state, outcome.code, outcome.message)
            if kept.kind is ArrivalKind.LETTER:
                self._draft_receipt(connection, outcome)

    def _draft_receipt(self, connection: sqlite3.Connection, outcome: Outcome) -> None:
        """The receipt that the agent itself makes about a letter's hand-over."""
        kept, now = outcome.kept, self._office.clock()
        if outcome.state is ArrivalState.HANDED:
            words = Words(kept.digest, kept.sender, Event.HANDED_OVER, now)
        elif outcome.state is ArrivalState.FAILED:
            card = self._failure_card(kept, f"{outcome.message} ({outcome.code})")
            words = Words(kept.digest, kept.sender, Event.HAND_OVER_FAILED, now, Reason.HAND_OVER_FAILED.value, card)
        else:
            return
        key = own_receipt_key(words.event, kept.digest, kept.command.hex())
        outgoing.add(connection, self._office.drafting.receipt(self._body, words, key))

    def _failure_card(self, kept: Kept, text: str) -> ReceiptCard:
        arrival = open_letter(kept.record)
        return ReceiptCard(
            document_id=arrival.card.document_id[:ID_CHARACTERS],
            message_id=arrival.letter.message_id[:ID_CHARACTERS],
            reg_number="",
            reg_date=None,
            reason_text=text[:TEXT_CHARACTERS],
            actor=None,
            note="",
            source_format=self._edms.format.name,
            extras=(),
        )

    def _report(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.state is not ArrivalState.STAGED:
                self._office.counters.add(
                    "agent_handed_over_total", body=self._body, kind=outcome.kept.kind.value, outcome=_state(outcome)
                )
        failed = [outcome for outcome in outcomes if outcome.code]
        for outcome in failed:
            log.warning(
                "%s: handing over %s: %s (%s)", self._body, outcome.kept.digest.hex(), outcome.message, outcome.code
            )
        if failed:
            self._waits.on(PART, failed[-1].code, failed[-1].message, self._office.clock())
        elif outcomes:
            self._waits.over(PART)

    def _tell(self, outcomes: Sequence[Outcome], began: datetime) -> None:
        """What letters came to in this round, for their traces."""
        if self._office.traces is not None:
            ended = [
                (outcome.kept, _state(outcome), outcome.code)
                for outcome in outcomes
                if outcome.state is not ArrivalState.STAGED
            ]
            tell_handed(self._office.traces, ended, (began, self._office.clock()))

    async def _pause(self) -> None:
        """Until something arrives, or the time of a postponed hand-over may have come."""
        try:
            async with asyncio.timeout(self._office.timing.poll):
                await self._woken.wait()
        except TimeoutError:
            return


def _state(outcome: Outcome) -> str:
    return "postponed" if outcome.state is None else outcome.state.value
