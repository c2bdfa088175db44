"""What an inbox record brought, into the spool: in the transaction that moves the position.

a letter      kept once, with its `delivered` receipt; a repeat changes nothing
a receipt     kept once, when it is about a letter of ours to whoever says it
a deadline    kept once; the sender's document system is told that the letter is late, of one to us we tell people
a redrive     obeyed once: the letter is handed over again, or for the first time when it is not here
anything else flagged, and never handed over
"""

import logging
import sqlite3

from exchange.agent.arrivals import Arrival, DeadlineArrival, LetterArrival, ReceiptArrival, RedriveArrival
from exchange.agent.drafts import Words, own_receipt_key
from exchange.agent.errors import ArrivalFlagged
from exchange.agent.office import Office
from exchange.agent.spool import incoming, outgoing
from exchange.agent.spool.incoming import ArrivalKind, ArrivalState, Arrived, Flagged
from exchange.bus.records import PoisonedBatch, Taken
from exchange.domain.event import Event
from exchange.domain.statement import Letter, Signed
from exchange.journal.addressing import names
from exchange.wire.records import decode

log = logging.getLogger(__name__)

FLAGGED_BYTES = 1024


class Keeping:
    """Keeps arrivals; each method is called within one of the spool's transactions."""

    def __init__(self, office: Office) -> None:
        """Nothing is read."""
        self._office = office

    def keep(self, connection: sqlite3.Connection, body: str, record: Taken, finding: Arrival | ArrivalFlagged) -> None:
        """Keep what a record of `body`'s inbox was found to be."""
        value = b"" if isinstance(record, PoisonedBatch) else record.value or b""
        flagged = finding if isinstance(finding, ArrivalFlagged) else self._kept(connection, body, value, finding)
        if flagged is None:
            return
        now = self._office.clock()
        incoming.flag(connection, Flagged(body, record.offset, flagged.code, str(flagged), now, value[:FLAGGED_BYTES]))
        self._office.counters.add("agent_flagged_total", body=body, reason=flagged.code)
        log.warning("%s: inbox record %d is flagged: %s (%s)", body, record.offset, flagged.code, flagged)

    def _kept(self, connection: sqlite3.Connection, body: str, value: bytes, arrival: Arrival) -> ArrivalFlagged | None:
        """None when it is kept; why it is flagged, if what is in the spool contradicts it."""
        match arrival:
            case LetterArrival():
                kind, new = ArrivalKind.LETTER, self._keep_letter(connection, body, value, arrival)
            case RedriveArrival():
                kind, new = ArrivalKind.COMMAND, self._obey(connection, body, arrival)
            case ReceiptArrival():
                row = self._ours(connection, body, arrival.receipt.letter, arrival.receipt.head.body)
                if row is None:
                    message = "letter: the receipt's signer is no recipient of a letter of ours with that digest"
                    return ArrivalFlagged(message, code="receipt-not-addressed")
                kind, new = ArrivalKind.RECEIPT, self._keep_receipt(connection, body, value, arrival, row)
            case DeadlineArrival():
                kind, new = ArrivalKind.DEADLINE, self._keep_deadline(connection, body, value, arrival)
        self._office.counters.add("agent_arrived_total" if new else "duplicates_total", body=body, kind=kind.value)
        return None

    def _keep_letter(
        self, connection: sqlite3.Connection, body: str, value: bytes, arrival: LetterArrival, command: bytes = b""
    ) -> bool:
        """Keep the letter with its `delivered` receipt; whether it is new."""
        now, letter = self._office.clock(), arrival.letter
        new = incoming.keep(
            connection,
            Arrived(
                body=body,
                kind=ArrivalKind.LETTER,
                digest=arrival.digest,
                sender=letter.head.body,
                received=now,
                record=value,
                message_id=letter.message_id,
                document_id=arrival.card.document_id,
                reg_number=arrival.card.reg_number,
                command=command,
            ),
        )
        if new:
            words = Words(arrival.digest, letter.head.body, Event.DELIVERED, now)
            key = own_receipt_key(Event.DELIVERED, arrival.digest)
            outgoing.add(connection, self._office.drafting.receipt(body, words, key))
        return new

    def _obey(self, connection: sqlite3.Connection, body: str, redrive: RedriveArrival) -> bool:
        """Have the letter handed over again; whether the command is new."""
        command, letter = redrive.command, redrive.letter
        obeyed = Arrived(
            body=body,
            kind=ArrivalKind.COMMAND,
            digest=redrive.digest,
            sender=command.head.body,
            received=self._office.clock(),
            record=b"",
            state=ArrivalState.SKIPPED,
        )
        if not incoming.keep(connection, obeyed):
            return False
        if not incoming.hand_over_again(connection, body, letter.digest, redrive.digest):
            self._keep_letter(connection, body, redrive.record, letter, redrive.digest)
        which = (body, letter.digest.hex(), command.person, command.task)
        log.warning("%s: letter %s is handed over again: an operator's word (%r, task %r)", *which)
        return True

    def _keep_deadline(self, connection: sqlite3.Connection, body: str, value: bytes, arrival: DeadlineArrival) -> bool:
        """Of our letter the document system is told; of one to us only people, for no format has a word for it."""
        deadline = arrival.deadline
        row = None
        if deadline.sender == body:
            row = self._ours(connection, body, deadline.letter, deadline.recipient)
        new = incoming.keep(
            connection,
            Arrived(
                body=body,
                kind=ArrivalKind.DEADLINE,
                digest=arrival.digest,
                sender=deadline.head.body,
                received=self._office.clock(),
                record=value,
                outgoing=row,
                state=ArrivalState.SKIPPED if row is None else ArrivalState.RECEIVED,
            ),
        )
        if new:
            which = f"{deadline.letter.hex()} from {deadline.sender} to {deadline.recipient}"
            log.warning("%s: letter %s is late: %s was due %s", body, which, deadline.stage, deadline.due)
            self._office.counters.add("agent_deadlines_total", body=body, stage=deadline.stage)
        return new

    def _keep_receipt(
        self, connection: sqlite3.Connection, body: str, value: bytes, arrival: ReceiptArrival, row: int
    ) -> bool:
        return incoming.keep(
            connection,
            Arrived(
                body=body,
                kind=ArrivalKind.RECEIPT,
                digest=arrival.digest,
                sender=arrival.receipt.head.body,
                received=self._office.clock(),
                record=value,
                outgoing=row,
            ),
        )

    def _ours(self, connection: sqlite3.Connection, body: str, letter: bytes, recipient: str) -> int | None:
        """Our letter with that digest, when it went to `recipient` (rule 4.1)."""
        row = outgoing.letter_said(connection, body, letter)
        if row is None:
            return None
        _, record = outgoing.record_of(connection, row)
        said = decode(Letter, decode(Signed, record).statement)
        versions = self._office.history
        return row if names(said, recipient, lambda number: versions.at(number).directory) else None
