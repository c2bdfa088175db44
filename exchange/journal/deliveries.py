"""States of all deliveries of a journal, folded in memory: what the tracker's tables must equal."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from exchange.domain.deadline import Matter, Terms
from exchange.domain.delivery import Delivery, advance, contradicts
from exchange.domain.fact import (
    DeadlineFact,
    FlagCode,
    JournalFact,
    LetterFact,
    ReceiptFact,
    StatementRefused,
    is_ignored,
    why_ignored,
)

DeliveryKey = tuple[bytes, str]
"""Letter's digest and recipient's body code."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a delivery stood; `sender` is empty when the exchange refused the letter."""

    letter: bytes
    sender: str
    recipient: str
    delivery: Delivery


@dataclass(slots=True)
class _Told:
    """A delivery as far as it was told; `sender` is None when the letter was refused."""

    sender: str | None
    matter: Matter
    delivery: Delivery


class Deliveries:
    """Takes facts in the order of each journal partition; keeps a few hundred bytes per delivery."""

    def __init__(self, flags: Counter[str]) -> None:
        """Nothing yet; facts that change nothing are counted in `flags` by code."""
        self._flags = flags
        self._told: dict[DeliveryKey, _Told] = {}
        self._letters: set[bytes] = set()

    def add(self, fact: JournalFact) -> None:
        """Take the next fact."""
        if isinstance(fact, LetterFact):
            self._add_letter(fact)
        elif isinstance(fact, ReceiptFact):
            self._add_receipt(fact)
        elif isinstance(fact, DeadlineFact):
            self._add_deadline(fact)
        elif isinstance(fact, StatementRefused):
            self._flags[FlagCode.STATEMENT_REFUSED] += 1

    def sender(self, key: DeliveryKey) -> str:
        """Who sent a delivery's letter; empty when the exchange refused it."""
        return self._told[key].sender or ""

    def folded(self, terms: Terms) -> Iterator[tuple[DeliveryKey, Delivery]]:
        """Every delivery with its state, and what is due by the terms that are in force in the end."""
        for key, told in self._told.items():
            delivery = told.delivery
            if delivery.stage is not None and delivery.began is not None:
                due = terms.due_or_none(delivery.stage, delivery.began, told.matter, key[1])
                delivery = delivery if due is None else replace(delivery, due=due)
            yield key, delivery

    def _add_letter(self, fact: LetterFact) -> None:
        if fact.letter in self._letters:
            self._flags[FlagCode.LETTER_REPEATED] += 1
            return
        self._letters.add(fact.letter)
        begun, sender = advance(None, fact.of_delivery()), None if fact.reason else fact.sender
        for recipient in fact.recipients:
            self._told[fact.letter, recipient] = _Told(sender, fact.matter, begun)

    def _add_receipt(self, fact: ReceiptFact) -> None:
        told = self._told.get((fact.letter, fact.signer))
        ignored = why_ignored(fact, None if told is None else told.sender)
        if told is None or ignored is not None:
            self._flags[ignored or FlagCode.NOT_ADDRESSED] += 1
            return
        happened = fact.of_delivery()
        told.delivery = advance(told.delivery, happened)
        if contradicts(happened, told.delivery):
            self._flags[FlagCode.CONTRADICTED] += 1

    def _add_deadline(self, fact: DeadlineFact) -> None:
        told = self._told.get((fact.letter, fact.recipient))
        if told is None or is_ignored(fact, told.sender):
            self._flags[FlagCode.DEADLINE_IGNORED] += 1
        else:
            told.delivery = advance(told.delivery, fact.of_delivery())
