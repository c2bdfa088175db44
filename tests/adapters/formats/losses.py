"""Which fields of a letter came back otherwise, and which the page of the format says do."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from adapters.formats.files import file_info
from exchange.agent.ports import DraftLetter
from exchange.domain.card import (
    DocumentSignature,
    Executor,
    FileRole,
    LetterCard,
    Link,
    Party,
    Person,
    Task,
    Translation,
)
from exchange.domain.event import Event
from exchange.domain.statement import AckPolicy, LetterKind, Urgency
from tests.adapters.support import CARD, DAY, DRAFT, NOW, UIDS

PAGES = Path(__file__).parents[3] / "docs" / "formats"
FIELD = re.compile(r"`((?:card\.)?[a-z_.]+)`")

UNCOMPARED = frozenset({"card.extras", "card.source_format", "recipients", "files"})
"""Of the way, not of the letter; bytes are compared by the digests of the files."""

KEYS = {"card.files": "name", "card.signatures": "signature_file"}
"""Lists without an order of their own: entries belong together by this."""


def told(page: str, column: int) -> frozenset[str]:
    """Fields that a page's table of losses names, whose cell in that column says something."""
    text = (PAGES / page).read_text(encoding="utf-8").partition("\n| field |")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines()[2:]]
    return frozenset(field for row in rows if row[column].strip() for field in FIELD.findall(row[0]))


def losses(before: DraftLetter, after: DraftLetter) -> set[str]:
    """Paths of fields, from `DraftLetter`, whose values differ; entries of lists have the list's path."""
    return set(_differing(before, after, "")) - UNCOMPARED


def is_within(path: str, lost: Iterable[str]) -> bool:
    """Whether a table names a field, or what it is part of."""
    return any(path == each or path.startswith(f"{each}.") for each in lost)


def _differing(before: Any, after: Any, path: str) -> Iterator[str]:
    if path in UNCOMPARED:
        return
    if isinstance(before, Person) != isinstance(after, Person):  # nobody is a person of whom nothing is said
        before, after = before or Person(), after or Person()
    if is_dataclass(before) and type(before) is type(after):
        for field in fields(before):
            inner = f"{path}.{field.name}".removeprefix(".")
            yield from _differing(getattr(before, field.name), getattr(after, field.name), inner)
    elif path in KEYS:
        ours, theirs = ({getattr(each, KEYS[path]): each for each in entries} for entries in (before, after))
        if ours.keys() != theirs.keys():
            yield path
        for key in ours.keys() & theirs.keys():
            yield from _differing(ours[key], theirs[key], path)
    elif isinstance(before, tuple) and isinstance(after, tuple):
        yield from _differing_lists(before, after, path)
    elif before != after:
        yield path


def _differing_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[str]:
    if len(before) != len(after):
        yield path
    else:
        for one, other in zip(before, after, strict=True):
            yield from _differing(one, other, path)


def _person(name: str) -> Person:
    return Person(name, f"post {name}", f"department {name}", f"organization {name}", f"region {name}", "0312", DAY)


def _party(body: str) -> Party:
    return Party(body, (UIDS[body] or (body,))[0], f"Body {body}", "unit", "Infodocs", "XR/1", "41711", _person(body))


FULL = replace(
    DRAFT,
    consignment_id="c-1",
    kind=LetterKind.ADDITION,
    ack=AckPolicy.ERRORS,
    wanted=(Event.REGISTERED.value, Event.EXPIRED.value),
    urgency=Urgency.IMMEDIATE,
    reply_due=DAY,
    card=replace(
        CARD,
        reg_number="7" * 300,
        title="Title " * 50,
        annotation="слово " * 700,
        language="en",
        access_basis="ст. 12",
        access_until=date(2023, 1, 1),
        sender=_party("mfa"),
        addressees=(_party("minjust"), replace(_party("natstatkom"), name=""), _party("ak-bulun"), Party(name="Иные")),
        signatories=(_person("a"), Person(name="b", signed=DAY)),
        executor=_person("c"),
        links=(Link("К сведению", "d-1", "8" * 300, DAY), *CARD.links),
        tasks=(
            Task(
                "1",
                "т" * 5000,
                DAY,
                controlled=True,
                executors=(Executor(_person("d"), "куратор"),),
                author=_person("e"),
            ),
            Task("2", "Экинчи", None, controlled=False, executors=(Executor(_person("f"), "ответственный"),)),
        ),
        files=(
            file_info("F-1", "a.pdf", b"a", FileRole.ANNEX, description="annex", pages=3),
            replace(file_info("F-2", "b.pdf", b"b", FileRole.MAIN, description="main", pages=2), media_type="a/b"),
            file_info("F-3", "c.csv", b"c", FileRole.DATA, description="data", pages=1),
            file_info("F-4", "a.p7s", b"d", FileRole.DATA),
            file_info("F-5", "b.p7s", b"e", FileRole.DATA),
        ),
        signatures=(
            DocumentSignature("F-1", "a.p7s", _person("g"), NOW),
            DocumentSignature("F-2", "b.p7s", _person("a"), NOW),
        ),
        translations=(Translation("ky", "Бир", "Эки"),),
        personal_data=True,
    ),
    files=(b"a", b"b", b"c", b"d", b"e"),
)
"""A letter with something in every field, as long and as odd as it may be."""

STRANGE = replace(
    FULL, card=replace(FULL.card, signatures=(DocumentSignature("F-2", "b.p7s", _person("stranger"), NOW),))
)
"""The same, signed by one who is no signatory."""

BARE = replace(
    DRAFT,
    kind=LetterKind.DOCUMENT,
    conversation=DRAFT.message_id,
    in_reply_to="",
    in_reply_to_number="",
    recipients=("minjust",),
    urgency=Urgency.ROUTINE,
    card=LetterCard(sender=CARD.sender, addressees=CARD.addressees[:1], language="ru"),
    files=(),
)
"""A letter with nothing in any field that may be without."""
