"""What a fact costs the tracker's database when it holds 250,000 deliveries, beside 10,000.

A rebuild from the journal goes the same way, so its cost is this one times the facts. CPU time of the
process: the disk is not measured. SQLite; facts are made, not decoded: that costs the same at any time.
"""

import asyncio
import heapq
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from random import Random

from bench.crypto import NOW
from bench.report import Figure, report
from exchange.domain.delivery import Position
from exchange.domain.fact import Course, JournalFact, LetterFact, ReceiptFact, Registration
from exchange.domain.ids import ZERO_DIGEST
from exchange.services.reading import BATCH_RECORDS
from exchange.store.database import Store
from exchange.store.rows import PositionRow

DELIVERIES = 250_000
FEW = 10_000
FACTS_OF_ONE = 4
LATER = {"delivered": (1, 2_000), "handed-over": (2_000, 5_000), "registered": (5_000, 80_000)}
"""So many letters, at least and at most, lie between a letter and its receipt: three days of a country."""


async def run() -> None:
    """Fold a long history and compare its end with its beginning."""
    await asyncio.to_thread(_measure)


def _measure() -> None:
    facts = _history(DELIVERIES)
    with (
        tempfile.TemporaryDirectory(prefix="exchange-bench-") as folder,
        Store(f"sqlite:///{folder}/h.sqlite") as store,
    ):
        store.migrate()
        few = _folded(store, facts, FEW * FACTS_OF_ONE)
        _folded(store, facts, (DELIVERIES - 2 * FEW) * FACTS_OF_ONE)
        many = _folded(store, facts, FEW * FACTS_OF_ONE)
    report(Figure("history", many * 1e6, "us/fact", many / few, f"the first {FEW} deliveries"))


def _folded(store: Store, facts: Iterator[JournalFact], count: int) -> float:
    """CPU seconds a fact."""
    spent, done = 0.0, 0
    while done < count and (batch := list(islice(facts, min(BATCH_RECORDS, count - done)))):
        reached = [PositionRow("exchange.journal", 0, batch[-1].position.offset, ZERO_DIGEST)]
        begin = time.process_time()
        store.take(batch, reached)
        spent += time.process_time() - begin
        done += len(batch)
    return spent / done


def _history(letters: int) -> Iterator[JournalFact]:
    """Letters between 300 bodies, and their receipts as they come in."""
    random = Random(1)
    due: list[tuple[int, int, LetterFact, str]] = []
    offset = 0
    for number in range(letters + max(most for _, most in LATER.values())):
        while due and due[0][0] <= number:
            _, _, letter, event = heapq.heappop(due)
            yield _receipt(letter, event, offset)
            offset += 1
        if number < letters:
            letter = _letter(number, offset, f"body-{random.randrange(300):03}", f"body-{random.randrange(300):03}")
            yield letter
            offset += 1
            for order, (event, (least, most)) in enumerate(LATER.items()):
                heapq.heappush(due, (number + random.randrange(least, most), offset * 4 + order, letter, event))


def _letter(number: int, offset: int, sender: str, recipient: str) -> LetterFact:
    name = f"{sender}-{number}"
    return LetterFact(
        position=Position(0, offset),
        letter=Random(number).randbytes(32),
        sender=sender,
        course=_course(offset),
        message_id=name,
        consignment_id=name,
        kind="DOCUMENT",
        urgency="ROUTINE",
        access="PUBLIC",
        conversation=name,
        in_reply_to=None,
        reply_due=None,
        recipients=(recipient,),
        document=Registration(f"document-{number}", f"01-5/{number}", "2026-01-01"),
        items=2,
        size=1400,
        reason="",
        detail="",
    )


def _receipt(letter: LetterFact, event: str, offset: int) -> ReceiptFact:
    number = Registration("", f"{offset}", "2026-01-01") if event == "registered" else Registration()
    (recipient,) = letter.recipients
    course = _course(offset)
    return ReceiptFact(
        Position(0, offset), letter.letter, recipient, letter.sender, course, event, course.created, "", number, ""
    )


def _course(offset: int) -> Course:
    at = NOW + timedelta(milliseconds=offset)
    return Course(at, at, at, at)
