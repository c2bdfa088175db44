"""What the API tells, as the values that commands show: `exchange.console.api.telling` the other way round."""

from datetime import timedelta

from exchange.console.api import letters_model as model
from exchange.console.words import actor_of
from exchange.domain.delivery import Delivery
from exchange.domain.event import Event
from exchange.domain.fact import Registration
from exchange.store.views import DeliveryTimeline, Flag, Letter, Listed, Step, Summary, Timeline


def letter(told: model.LetterTold) -> Letter:
    """A letter."""
    return Letter(
        digest=bytes.fromhex(told.digest),
        sender=told.sender,
        message_id=told.message_id,
        consignment_id=told.consignment_id,
        kind=told.kind,
        urgency=told.urgency,
        access=told.access,
        conversation=told.conversation,
        in_reply_to=None if told.in_reply_to is None else bytes.fromhex(told.in_reply_to),
        reply_due=told.reply_due,
        document=_registration(told.document),
        items=told.items,
        size=told.size,
        created=told.created,
        arrived=told.arrived,
        decided=told.decided,
        journalled=told.journalled,
        reason=told.reason,
        detail=told.detail,
    )


def listed(told: model.ListedTold) -> Listed:
    """A line of a list."""
    return Listed(letter(told.letter), told.recipient, _delivery(told.delivery))


def overview_line(told: model.OverviewLine) -> Listed | Summary:
    """A line of the overview."""
    if told.delivery is None or told.recipient is None:
        return Summary(letter(told.letter), told.states or {})
    return Listed(letter(told.letter), told.recipient, _delivery(told.delivery))


def story(told: model.Story) -> Timeline:
    """A letter's whole story."""
    parts = (
        DeliveryTimeline(part.recipient, _delivery(part.delivery), tuple(map(_step, part.steps)))
        for part in told.deliveries
    )
    return Timeline(letter(told.letter), tuple(parts), tuple(map(_flag, told.flags)))


def _delivery(told: model.DeliveryTold) -> Delivery:
    return Delivery(
        state=told.state,
        since=told.since,
        next=actor_of(told.next),
        reason=told.reason,
        reg_number=told.reg_number,
        reg_date=told.reg_date,
        decided=Event(told.decided) if told.decided else None,
        text=told.text,
        stage=told.stage,
        began=told.began,
        due=told.due,
        late=frozenset(told.late),
    )


def _step(told: model.StepTold) -> Step:
    return Step(
        event=told.event,
        at=told.at,
        journalled=told.journalled,
        wait=timedelta(seconds=told.wait),
        reason=told.reason,
        registration=_registration(told.registration),
        text=told.text,
        holds=told.holds,
    )


def _flag(told: model.FlagTold) -> Flag:
    return Flag(
        partition=told.partition,
        offset=told.offset,
        code=told.code,
        body=told.body,
        about=bytes.fromhex(told.about),
        journalled=told.journalled,
        reason=told.reason,
        detail=told.detail,
    )


def _registration(told: model.RegistrationTold) -> Registration:
    return Registration(told.document_id, told.number, told.date)
