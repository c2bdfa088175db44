"""Letters: lists, one letter's story, and what a text names."""

import asyncio
import re
from dataclasses import replace
from http import HTTPStatus

import msgspec
import sqlalchemy as sa
from starlette.responses import Response

from exchange.archive.errors import ArchiveError
from exchange.console.api import telling
from exchange.console.api.asking import Asked, answer, require_all, require_offset, unknown, wanted
from exchange.console.api.letters_model import CountTold, Found, Letters, LogTold, Overview
from exchange.console.api.parameters import FindQuery, LettersQuery, OverviewQuery, Query
from exchange.domain.fact import CommandFact
from exchange.domain.user import Right
from exchange.services.http.problems import ApiRefused
from exchange.store import queries
from exchange.store.lists import ActFilter, Counted, Cursor, DeliveryFilter, Page
from exchange.store.queries.letters import OVERVIEW
from exchange.store.views import Letter, LetterFilter, Listed, Timeline

FOUND_AT_MOST = 20
ACTS_AT_MOST = 100
_DIGEST = re.compile(r"[0-9a-f]{64}")


async def letters(asked: Asked[LettersQuery]) -> Response:
    """Deliveries by any filter, a page at a time."""
    query = asked.query
    which = wanted(query, asked.user, asked.desk.now())
    after = Cursor.read(query.after, which.order) if query.after else None

    def question(connection: sa.Connection) -> tuple[Page[Listed], Counted | None]:
        """What the database is asked."""
        page = queries.deliveries(connection, which, after, query.limit)
        return page, queries.counted(connection, which, after, page) if query.count else None

    page, counted = await asked.told(question)
    count = None if counted is None else CountTold(number=counted.number, more=counted.more)
    items = tuple(map(telling.listed, page.items))
    return answer(asked.request, Letters(items=items, next=asked.next_page(page.after), count=count))


async def letter(asked: Asked[Query]) -> Response:
    """One letter's story: for one of its recipients its own part only."""
    digest = asked.part("digest")
    if not _DIGEST.fullmatch(digest):
        message = "digest: has 64 hexadecimal digits: look other ids up by /api/v1/find"
        raise unknown(message)
    sees_acts = asked.user.may(Right.SEE_ACTS)

    def question(connection: sa.Connection) -> tuple[Timeline | None, Page[CommandFact] | None]:
        """What the database is asked."""
        about = ActFilter(letter=bytes.fromhex(digest))
        acts = queries.acts(connection, about, None, ACTS_AT_MOST) if sees_acts else None
        return queries.timeline(connection, bytes.fromhex(digest)), acts

    found, acts = await asked.told(question)
    visible = None if found is None else seen(found, asked.body)
    if visible is None:
        message = f"no letter {digest} is known here: look it up by /api/v1/find, or wait until it is journalled"
        raise unknown(message)
    return answer(asked.request, telling.story(visible, None if acts is None else acts.items))


async def log(asked: Asked[Query]) -> Response:
    """How far one letter's entries stand in the archive's log."""
    require_all(asked.user)  # entries are about others' parts of it, too, and about who looked at it
    digest, look, found = asked.part("digest"), asked.desk.standing, None
    if _DIGEST.fullmatch(digest):
        found = await asked.told(lambda connection: queries.timeline(connection, bytes.fromhex(digest)))
    if found is None:
        message = "digest: no such letter is known here: look it up by /api/v1/find, or wait until it is journalled"
        raise unknown(message)
    if look is None:
        message = "no archive is within this console's reach: ask one whose file has [archive] folder and [log] policy"
        raise ApiRefused(message, status=HTTPStatus.SERVICE_UNAVAILABLE, code="log-not-here")
    try:
        told = await asyncio.to_thread(look, bytes.fromhex(digest))
    except ArchiveError as error:
        raise ApiRefused(str(error), status=HTTPStatus.SERVICE_UNAVAILABLE, code=error.code) from error
    return answer(asked.request, msgspec.convert(told, LogTold, from_attributes=True))


async def overview(asked: Asked[OverviewQuery]) -> Response:
    """Letters, a circular in one line."""
    query = asked.query
    if query.sender != asked.body:
        require_all(asked.user)
    require_offset(query.since)
    which = LetterFilter(sender=query.sender or None, after=query.since, limit=query.limit)
    after = Cursor.read(query.after, OVERVIEW) if query.after else None
    page = await asked.told(lambda connection: queries.overview(connection, which, query.most, after))
    items = tuple(map(telling.overview_line, page.items))
    return answer(asked.request, Overview(items=items, next=asked.next_page(page.after)))


async def find(asked: Asked[FindQuery]) -> Response:
    """Letters that a text names."""
    text, body = asked.query.q, asked.body

    def question(connection: sa.Connection) -> tuple[list[Letter], list[queries.PutAway]]:
        """What the database is asked."""
        away = [one for one in queries.put_away(connection, text) if body is None or body in one.bodies]
        if body is None:
            return queries.find(connection, text, FOUND_AT_MOST), away
        own = queries.deliveries(connection, DeliveryFilter(body=body, text=text), None, FOUND_AT_MOST)
        return list({each.letter.digest: each.letter for each in own.items}.values()), away

    found, away = await asked.told(question)
    items, put_away = tuple(map(telling.letter, found)), tuple(map(telling.put_away, away))
    return answer(asked.request, Found(items=items, put_away=put_away))


def seen(story: Timeline, body: str | None) -> Timeline | None:
    """As much of a letter's story as concerns one body, as its sender or recipient; all of it without one.

    Returns:
        None when nothing does.
    """
    if body is None or story.letter.sender == body:
        return story
    parts = tuple(part for part in story.deliveries if part.recipient == body)
    flags = tuple(flag for flag in story.flags if flag.body == body)
    return replace(story, deliveries=parts, flags=flags) if parts else None
