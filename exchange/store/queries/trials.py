"""Whether a body's letters go all the way and back: what it exchanged with the body that answers every letter."""

import sqlalchemy as sa

from exchange.store.lists import DeliveryFilter
from exchange.store.months import window_of
from exchange.store.overviews import Month, Trial
from exchange.store.queries.deliveries import deliveries
from exchange.store.schema import tally_routes

LOOKED_AT = 20
"""Letters each way, the youngest."""


def trial(connection: sa.Connection, body: str, echo: str) -> Trial | None:
    """The youngest letter of a body to the one that answers, with the reply to it: one that came back, if any did.

    Only the last month in which the body wrote there is looked at, as the tallies tell it: so a body with many
    letters, none of them there, costs one look at an index.
    """
    last = connection.execute(
        sa.select(sa.func.max(tally_routes.c.month)).where(
            tally_routes.c.sender == body, tally_routes.c.recipient == echo, tally_routes.c.volume > 0
        )
    ).scalar_one()
    if last is None:
        return None
    since = window_of(Month(*map(int, last.split("-")))).since
    sent = deliveries(connection, DeliveryFilter(sender=body, recipient=echo, since=since), None, LOOKED_AT)
    answers = deliveries(connection, DeliveryFilter(sender=echo, recipient=body, since=since), None, LOOKED_AT)
    replies = {each.letter.in_reply_to: each for each in answers.items}
    trials = [Trial(each, replies.get(each.letter.digest)) for each in sent.items]
    return next((each for each in trials if each.passed), trials[0] if trials else None)
