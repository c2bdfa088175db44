"""What the database answers, as the API tells it."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from exchange.console.api import acts_model
from exchange.console.api import letters_model as model
from exchange.console.api import overviews_model as overviews
from exchange.console.pages.certificates import Expiring
from exchange.console.words import next_word
from exchange.domain.delivery import Delivery
from exchange.domain.directory import Body
from exchange.domain.fact import CommandFact, Registration
from exchange.store.desk.notes import Note
from exchange.store.overviews import BodySummary, FailureGroup, Now, Oldest, Percentiles, Route, Service, Silence
from exchange.store.queries import PutAway
from exchange.store.views import DeliveryTimeline, Flag, Letter, Listed, Step, Summary, Timeline

LETTERS = "/api/v1/letters"


def letter(told: Letter) -> model.LetterTold:
    """A letter."""
    return model.LetterTold(
        digest=told.digest.hex(),
        sender=told.sender,
        message_id=told.message_id,
        consignment_id=told.consignment_id,
        kind=told.kind,
        urgency=told.urgency,
        access=told.access,
        conversation=told.conversation,
        in_reply_to=None if told.in_reply_to is None else told.in_reply_to.hex(),
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


def put_away(told: PutAway) -> model.PutAwayTold:
    """Where an old letter is."""
    return model.PutAwayTold(
        digest=told.digest.hex(),
        sender=told.bodies[0],
        journalled=told.journalled,
        put_away=told.put_away,
        file=told.file,
        at=told.at,
    )


def delivery(told: Delivery) -> model.DeliveryTold:
    """Where a letter is on its way to one recipient."""
    return model.DeliveryTold(
        state=told.state,
        since=told.since,
        next=next_word(told.next),
        reason=told.reason,
        reg_number=told.reg_number,
        reg_date=told.reg_date,
        decided=told.decided or "",
        text=told.text,
        stage=told.stage,
        began=told.began,
        due=told.due,
        late=tuple(sorted(told.late)),
    )


def listed(told: Listed) -> model.ListedTold:
    """A line of a list."""
    return model.ListedTold(letter=letter(told.letter), recipient=told.recipient, delivery=delivery(told.delivery))


def overview_line(told: Listed | Summary) -> model.OverviewLine:
    """A line of the overview."""
    if isinstance(told, Summary):
        return model.OverviewLine(letter=letter(told.letter), states=dict(told.states))
    whole = listed(told)
    return model.OverviewLine(letter=whole.letter, recipient=whole.recipient, delivery=whole.delivery)


def act(told: CommandFact) -> acts_model.ActTold:
    """Something that a person did."""
    return acts_model.ActTold(
        action=told.action,
        person=told.person,
        second=told.second,
        reason=told.reason,
        detail=told.detail,
        task=told.task,
        letter=None if told.letter is None else told.letter.hex(),
        recipient=told.recipient,
        body=told.body,
        said=told.said,
        journalled=told.journalled,
        statement=told.statement.hex(),
        position=f"{told.position.partition}:{told.position.offset}",
    )


def story(told: Timeline, acts: Iterable[CommandFact] | None) -> model.Story:
    """A letter's story, and what people did with it."""
    return model.Story(
        letter=letter(told.letter),
        deliveries=tuple(map(_part, told.deliveries)),
        flags=tuple(map(_flag, told.flags)),
        acts=None if acts is None else tuple(map(act, acts)),
    )


def failure(told: FailureGroup, note: Note | None) -> overviews.FailureTold:
    """A group of failures, with the way to the list of them and what operators noted."""
    words = {"from": told.sender, "to": told.recipient, "state": told.state.value, "reason": told.reason}
    return overviews.FailureTold(
        state=told.state,
        reason=told.reason,
        sender=told.sender,
        recipient=told.recipient,
        number=told.number,
        first=told.first,
        last=told.last,
        samples=tuple(sample.hex() for sample in told.samples),
        text=told.text,
        href=f"{LETTERS}?{urlencode({word: value for word, value in words.items() if value})}",
        owner="" if note is None else note.owner,
        note="" if note is None else note.text,
    )


def route(told: Route) -> overviews.RouteTold:
    """A route."""
    return overviews.RouteTold(
        sender=told.sender,
        recipient=told.recipient,
        volume=told.volume,
        late=told.late,
        failed=told.failed,
        delivery=_percentiles(told.delivery),
        registration=_percentiles(told.registration),
    )


def service(told: Service) -> overviews.ServiceTold:
    """A line of the service report."""
    return overviews.ServiceTold(
        body=told.body,
        kind=told.kind,
        volume=told.volume,
        on_time=told.on_time,
        late=dict(told.late),
        breached=told.breached,
        failed=told.failed,
        delivery=_percentiles(told.delivery),
        registration=_percentiles(told.registration),
    )


def body(told: Body, last: datetime | None) -> overviews.BodyTold:
    """A body, and its last word."""
    return overviews.BodyTold(
        code=told.code,
        name_ky=told.names.ky,
        name_ru=told.names.ru,
        name_en=told.names.en,
        kind=told.kind,
        status=told.status,
        gateway=told.gateway,
        last=last,
    )


def body_detail(told: Body, summary: BodySummary, certificates: Iterable[Expiring]) -> overviews.BodyDetail:
    """One body."""
    return overviews.BodyDetail(
        **msgspec.structs.asdict(body(told, summary.last)),
        oldest=None if summary.oldest is None else _oldest(summary.oldest),
        inbound=dict(summary.inbound),
        outbound=dict(summary.outbound),
        received=summary.received,
        sent=summary.sent,
        late=summary.late,
        certificates=tuple(
            overviews.CertificateTold(use=one.use, serial=one.serial, ends=one.ends, revoked=one.revoked)
            for one in certificates
        ),
    )


def present(told: Now, at: datetime) -> overviews.Present:
    """How the exchange is."""
    return overviews.Present(
        at=at,
        states=dict(told.states),
        stages=dict(told.stages),
        overdue=dict(told.overdue),
        failing={next_word(actor): number for actor, number in told.failing.items()},
        oldest=tuple(map(_oldest, told.oldest)),
        flags=dict(told.flags),
        budget=overviews.BudgetTold(day=told.budget.day, volume=told.budget.volume, late=told.budget.late),
        silent=tuple(_silence(one) for one in told.silent),
    )


def _silence(told: Silence) -> overviews.SilenceTold:
    return overviews.SilenceTold(
        body=told.body, last=told.last, waiting=0 if told.waiting is None else told.waiting.number
    )


def _part(told: DeliveryTimeline) -> model.PartTold:
    return model.PartTold(
        recipient=told.recipient, delivery=delivery(told.delivery), steps=tuple(map(_step, told.steps))
    )


def _step(told: Step) -> model.StepTold:
    return model.StepTold(
        event=told.event,
        at=told.at,
        journalled=told.journalled,
        wait=told.wait.total_seconds(),
        reason=told.reason,
        registration=_registration(told.registration),
        text=told.text,
        holds=told.holds,
    )


def _flag(told: Flag) -> model.FlagTold:
    return model.FlagTold(
        partition=told.partition,
        offset=told.offset,
        code=told.code,
        body=told.body,
        about=told.about.hex(),
        journalled=told.journalled,
        reason=told.reason,
        detail=told.detail,
    )


def _registration(told: Registration) -> model.RegistrationTold:
    return model.RegistrationTold(document_id=told.document_id, number=told.number, date=told.date)


def _oldest(told: Oldest) -> overviews.OldestTold:
    return overviews.OldestTold(body=told.body, since=told.since, number=told.number)


def _percentiles(told: Percentiles | None) -> overviews.PercentilesTold | None:
    if told is None:
        return None
    return overviews.PercentilesTold(**{name: getattr(told, name).total_seconds() for name in ("p50", "p95", "p99")})
