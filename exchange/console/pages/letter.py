"""One letter: where it is, whose move it is, its whole story."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask, renderer_of
from exchange.domain.ids import DIGEST_BYTES
from exchange.domain.user import Right, User
from exchange.store import queries
from exchange.store.views import DeliveryTimeline, Step, Timeline

_DIGEST = re.compile(rf"[0-9a-f]{{{2 * DIGEST_BYTES}}}")
FEW = 12
"""Recipients whose stories stand open on the page."""


@dataclass(frozen=True, slots=True)
class Waited:
    """A step with its wait drawn: `share` of the longest wait of the letter, by its logarithm, 0 to 100."""

    step: Step
    share: int


@require()
async def letter(request: Request) -> Response:
    """The page of the letter whose digest, or its beginning, is in the address."""
    user, name = signed_in(request), request.path_params["digest"].lower()
    if not _DIGEST.fullmatch(name):
        return RedirectResponse(f"/search?q={quote(name)}", HTTPStatus.SEE_OTHER)
    timeline = await ask(request, lambda connection: queries.timeline(connection, bytes.fromhex(name)))
    seen = None if timeline is None else seen_by(timeline, user)
    if seen is None:
        away = await ask(request, lambda connection: queries.put_away(connection, name))
        if any(user.may_see(body) for one in away for body in one.bodies):
            return RedirectResponse(f"/search?q={name}", HTTPStatus.SEE_OTHER)
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return renderer_of(request).page(
        request,
        "letter.html",
        timeline=seen,
        few=FEW,
        waited=lambda delivery: list(_waited(delivery, desk_of(request).now())),
        has_evidence=desk_of(request).packer is not None and user.may(Right.EXPORT),
        is_whole=len(seen.deliveries) == len(timeline.deliveries) if timeline else False,
        may_read=user.may_read(seen.letter.sender, *(each.recipient for each in seen.deliveries)),
    )


ROUTES = (Route("/letters/{digest}", letter, methods=["GET"]),)


def seen_by(timeline: Timeline, user: User) -> Timeline | None:
    """What of a letter's story `user` may see: all of it, a recipient's own part, or None."""
    if user.may_see(timeline.letter.sender):
        return timeline
    own = tuple(each for each in timeline.deliveries if user.may_see(each.recipient))
    flags = tuple(flag for flag in timeline.flags if user.may_see(flag.body))
    return replace(timeline, deliveries=own, flags=flags) if own else None


def _waited(delivery: DeliveryTimeline, now: datetime) -> Iterator[Waited]:
    waiting = delivery.waiting(now) or timedelta()
    longest = max([waiting, *(step.wait for step in delivery.steps)], default=timedelta())
    for step in delivery.steps:
        yield Waited(step, _share(step.wait, longest))


def _share(wait: timedelta, longest: timedelta) -> int:
    """Waits of milliseconds and of days side by side."""
    whole = math.log1p(longest.total_seconds())
    return round(100 * math.log1p(max(wait.total_seconds(), 0)) / whole) if whole else 0
