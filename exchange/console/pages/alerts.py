"""Alerts: what the console itself sees wrong now, and the runbook of everything that anybody may be woken for.

The rules that wake people stand in `config/prometheus/alerts.yml` and are watched there; what the
tracker's database and the directory tell is shown here as well, so that one page says what is the matter.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.console.auth.visitor import require
from exchange.console.pages.asking import renderer_of
from exchange.console.pages.now import Present, present
from exchange.console.pages.wording import AT_ONCE, IN_WORKING_HOURS, Label, _
from exchange.domain.deadline import Stage
from exchange.domain.delivery import AWAITED
from exchange.resources import resource

_FETCHED_WITHIN = timedelta(minutes=15)
_NAME = re.compile(r"[a-z-]{1,40}")
_LINK = re.compile(rf"({_NAME.pattern})\.md")
_SOON = (Stage.DELIVER, Stage.HAND_OVER)
_LATER = (Stage.REGISTER, Stage.REPLY)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody is told of.

    Attributes:
        title: English, a message of the catalogs.
        runbook: name of its page under `docs/operate/runbooks/`.
        when: somebody acts: at once, or in working hours.
        number: how many there are now; None where only Prometheus watches it.
        list: address of what the number counts.
    """

    title: str
    runbook: str
    when: Label
    number: Callable[[Present], int] | None = None
    list: str = ""


def _overdue(seen: Present, *stages: Stage) -> int:
    return sum(seen.now.overdue.get(stage, 0) for stage in stages)


def _overdue_list(*stages: Stage) -> str:
    """Address of what `_overdue` counts: a list is filtered by one stage, but by any number of states."""
    states = sorted(state.value for state, stage in AWAITED.items() if stage in stages)
    return f"/letters?late=now&state={','.join(states)}"


ALERTS = (
    Alert(
        _("Letters wait behind their deadline"),
        "overdue",
        AT_ONCE,
        lambda seen: _overdue(seen, *_SOON),
        _overdue_list(*_SOON),
    ),
    Alert(
        _("Bodies have not registered or answered in time"),
        "answers-overdue",
        IN_WORKING_HOURS,
        lambda seen: _overdue(seen, *_LATER),
        _overdue_list(*_LATER),
    ),
    Alert(
        _("So many letters are late that the month's budget is used up"),
        "budget-burn",
        AT_ONCE,
        lambda seen: int(seen.budget_left is not None and seen.budget_left <= 0),
        "/letters?late=yes&age=30d",
    ),
    Alert(
        _("An agent has not fetched a letter for a quarter of an hour"),
        "letters-wait",
        IN_WORKING_HOURS,
        lambda seen: sum(seen.at - one.since > _FETCHED_WITHIN for one in seen.now.oldest),
        "/#h-waiting",
    ),
    Alert(
        _("A body fell silent"),
        "body-silent",
        IN_WORKING_HOURS,
        lambda seen: len(seen.now.silent),
        "/bodies?silent=yes",
    ),
    Alert(
        _("A certificate is about to end"),
        "certificate-expires",
        IN_WORKING_HOURS,
        lambda seen: len(seen.expiring),
        "/#certificates",
    ),
    Alert(_("The canary's letters do not come back"), "canary-failing", AT_ONCE),
    Alert(_("The journal is damaged"), "journal-damaged", AT_ONCE),
    Alert(_("The journal is held up"), "journal-held-up", AT_ONCE),
    Alert(_("Nobody has verified the journal for a week"), "verification-stale", IN_WORKING_HOURS),
    Alert(_("The transparency log shows two pasts"), "log-contradicts", AT_ONCE),
    Alert(_("A witness cosigns nothing"), "witness-away", IN_WORKING_HOURS),
    Alert(_("Statements are taken, and not in the log"), "statements-unwitnessed", IN_WORKING_HOURS),
    Alert(_("The archive stands still"), "archive-stands-still", AT_ONCE),
    Alert(_("Checkpoints lack cosignatures"), "checkpoints-unwitnessed", IN_WORKING_HOURS),
    Alert(_("Checkpoints get no time-stamps"), "checkpoints-unstamped", IN_WORKING_HOURS),
    Alert(_("The object store has not got what is public of the log"), "publication-behind", IN_WORKING_HOURS),
    Alert(_("Time-stamps end and were not renewed"), "evidence-ends", IN_WORKING_HOURS),
    Alert(_("Signatures fail more often than usual"), "signature-failures", AT_ONCE),
    Alert(_("Dead letters do not become fewer"), "dead-letters", IN_WORKING_HOURS),
    Alert(_("The directory is stale"), "directory-stale", AT_ONCE),
    Alert(_("A revocation list is stale"), "revocation-lists-stale", IN_WORKING_HOURS),
    Alert(_("A process is not there"), "target-absent", AT_ONCE),
    Alert(_("Lanes are served by nobody"), "lanes-unserved", AT_ONCE),
    Alert(_("The tracker stands still"), "tracker-stands-still", AT_ONCE),
    Alert(_("The console shows what was"), "console-stale", IN_WORKING_HOURS),
    Alert(_("The console fails"), "console-failing", IN_WORKING_HOURS),
    Alert(_("A redrive stands still"), "tasks-stuck", IN_WORKING_HOURS),
    Alert(_("The policy's calendar ends"), "calendar-ends", IN_WORKING_HOURS),
    Alert(_("A disk is nearly full"), "disk-low", IN_WORKING_HOURS),
    Alert(_("An agent has letters that are not proven taken"), "agent-unproven", IN_WORKING_HOURS),
    Alert(_("An agent does not reach its document system"), "document-system-away", IN_WORKING_HOURS),
)


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert with what is seen of it now."""

    alert: Alert
    number: int | None


@require()
async def alerts(request: Request) -> Response:
    """The page: what is the matter first, then what is quiet, then what only Prometheus sees."""
    seen = await present(request)
    raised = [Raised(alert, None if alert.number is None else alert.number(seen)) for alert in ALERTS]
    return renderer_of(request).page(
        request,
        "alerts.html",
        firing=[each for each in raised if each.number],
        quiet=[each for each in raised if each.number == 0],
        watched=[each for each in raised if each.number is None],
    )


@require()
async def runbook(request: Request) -> Response:
    """What to do about an alert, as it stands in the documentation."""
    name = request.path_params["name"]
    titles = _TITLES.get(name) if _NAME.fullmatch(name) else None
    if titles is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    text = resource("docs", "operate", "runbooks", f"{name}.md").read_text(encoding="utf-8")
    return renderer_of(request).page(request, "runbook.html", title=titles, text=_shown(text))


ROUTES = (
    Route("/alerts", alerts, methods=["GET"]),
    Route("/alerts/{name}", runbook, methods=["GET"]),
)

_TITLES: Mapping[str, str] = MappingProxyType({alert.runbook: alert.title for alert in ALERTS})


def _shown(text: str) -> Markup:
    """A runbook of ours as HTML, without its title; links to other runbooks lead to their pages, others nowhere."""
    markdown = MarkdownIt("commonmark", {"html": False})
    tokens = markdown.parse(text.partition("\n")[2])
    for token in (child for each in tokens for child in each.children or ()):
        if token.type == "link_open":
            found = _LINK.fullmatch(str(token.attrGet("href")))
            is_known = found is not None and found[1] in _TITLES
            token.attrs = {"href": f"/alerts/{found[1]}"} if found is not None and is_known else {}
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704 - of a file of this package
