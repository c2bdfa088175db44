"""The audit trail: who did or looked at what, as the journal has it."""

from starlette.responses import Response

from exchange.console.api import telling
from exchange.console.api.acts_model import Acts
from exchange.console.api.asking import Asked, answer, require_offset
from exchange.console.api.parameters import ActsQuery
from exchange.console.auth.visitor import signed_in
from exchange.domain.user import Right
from exchange.store import queries
from exchange.store.lists import ActFilter, Cursor
from exchange.store.queries.acts import ORDER


async def acts(asked: Asked[ActsQuery]) -> Response:
    """Acts by any filter, a page at a time."""
    signed_in(asked.request, Right.SEE_ACTS)
    query = asked.query
    require_offset(query.since, query.until)
    which = ActFilter(
        person=query.person or None,
        action=query.action or None,
        task=query.task or None,
        letter=bytes.fromhex(query.letter) or None,
        recipient=query.recipient or None,
        since=query.since,
        until=query.until,
    )
    after = Cursor.read(query.after, ORDER) if query.after else None
    page = await asked.told(lambda connection: queries.acts(connection, which, after, query.limit))
    items = tuple(map(telling.act, page.items))
    return answer(asked.request, Acts(items=items, next=asked.next_page(page.after)))
