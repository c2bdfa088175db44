"""What the API answers about many deliveries at once: groups, routes, bodies, months."""

from datetime import date
from typing import Annotated

from msgspec import Meta

from exchange.console.api.model import Code, Digest, Seconds
from exchange.console.words import Next
from exchange.domain.deadline import Stage
from exchange.domain.delivery import State
from exchange.domain.directory import BodyStatus, CertificateUse
from exchange.services.http.model import Answer, BodyCode, Time


class FailureTold(Answer, frozen=True, kw_only=True):
    """Deliveries that failed for the same reason on the same route."""

    state: State
    reason: Code
    sender: BodyCode
    recipient: BodyCode
    number: int
    first: Annotated[Time, Meta(description="When the first of them came into that state.")]
    last: Time
    samples: Annotated[tuple[Digest, ...], Meta(description="A few of the letters.")]
    text: Annotated[str, Meta(description="What the recipient said of one of them; empty when nothing.")]
    href: Annotated[str, Meta(description="Path of the list of them all.")]
    owner: Annotated[str, Meta(description="Who looks after it, as operators noted; for who sees all bodies.")]
    note: Annotated[str, Meta(description="What operators noted of it, for who sees all bodies.")]


class Failures(Answer, frozen=True, kw_only=True):
    """What failed, the largest groups first."""

    items: tuple[FailureTold, ...]


class PercentilesTold(Answer, frozen=True, kw_only=True):
    """How long it took."""

    p50: Seconds
    p95: Seconds
    p99: Seconds


class RouteTold(Answer, frozen=True, kw_only=True):
    """What went from one body to another."""

    sender: BodyCode
    recipient: BodyCode
    volume: int
    late: int
    failed: int
    delivery: PercentilesTold | None
    registration: PercentilesTold | None


class Routes(Answer, frozen=True, kw_only=True):
    """Routes with the most deliveries, the largest first."""

    items: tuple[RouteTold, ...]


class OldestTold(Answer, frozen=True, kw_only=True):
    """The oldest letter that a body has not fetched, and how many wait with it."""

    body: BodyCode
    since: Time
    number: int


class BodyTold(Answer, frozen=True, kw_only=True):
    """A body of the directory."""

    code: BodyCode
    name_ky: str
    name_ru: str
    name_en: str
    kind: str
    status: BodyStatus
    gateway: Annotated[str, Meta(description="Code of the body whose agent carries its letters, else empty.")]
    last: Annotated[Time | None, Meta(description="When the journal took its last word; null: it never spoke.")]


class Bodies(Answer, frozen=True, kw_only=True):
    """Bodies of the directory, by code."""

    version: Annotated[int, Meta(description="Of the directory.")]
    items: tuple[BodyTold, ...]


class CertificateTold(Answer, frozen=True, kw_only=True):
    """A certificate that speaks for a body."""

    use: CertificateUse
    serial: Annotated[str, Meta(description="Hexadecimal.")]
    ends: Time
    revoked: Time | None


class BodyDetail(BodyTold, frozen=True, kw_only=True):
    """One body as the exchange sees it; volumes are of the present month."""

    oldest: OldestTold | None
    inbound: Annotated[dict[State, int], Meta(description="Letters to it in which something is awaited, by state.")]
    outbound: Annotated[dict[State, int], Meta(description="Letters of it in which something is awaited, by state.")]
    received: int
    sent: int
    late: int
    certificates: tuple[CertificateTold, ...]


class SilenceTold(Answer, frozen=True, kw_only=True):
    """A body of which nothing is heard, though letters wait for it or it spoke at the same time a week before."""

    body: BodyCode
    last: Annotated[Time | None, Meta(description="Its last word, to the minute; null: it never spoke.")]
    waiting: Annotated[int, Meta(description="Letters that it has not fetched.")]


class BudgetTold(Answer, frozen=True, kw_only=True):
    """Deliveries that began today, and how many of them were late at any stage since."""

    day: date
    volume: int
    late: int


class Present(Answer, frozen=True, kw_only=True):
    """How the exchange is; for a body administrator only what concerns the body."""

    at: Time
    states: dict[State, int]
    stages: Annotated[dict[Stage, int], Meta(description="How many deliveries await each stage.")]
    overdue: Annotated[dict[Stage, int], Meta(description="Of these, late at it.")]
    failing: Annotated[dict[Next, int], Meta(description="In a failing state, by who must act.")]
    oldest: tuple[OldestTold, ...]
    flags: Annotated[dict[str, int], Meta(description="Records that stood out within the hour, by code.")]
    budget: BudgetTold
    silent: tuple[SilenceTold, ...]


class ServiceTold(Answer, frozen=True, kw_only=True):
    """How letters of one kind to one body went in a month."""

    body: BodyCode
    kind: str
    volume: int
    on_time: int
    late: Annotated[dict[Stage, int], Meta(description="By stage; a delivery may be late at several.")]
    breached: Annotated[int, Meta(description="Late at any stage.")]
    failed: int
    delivery: PercentilesTold | None
    registration: PercentilesTold | None


class Report(Answer, frozen=True, kw_only=True):
    """The service report of a month, those with the most breaches first."""

    month: str
    items: tuple[ServiceTold, ...]
