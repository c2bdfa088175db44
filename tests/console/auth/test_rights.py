"""Every address of the console × every role: who is let in. An address without a row fails."""

from collections.abc import Iterator
from dataclasses import replace

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from exchange.console.app import create_app
from exchange.console.auth.entrance import is_open
from exchange.services.tasks.office import TaskOffice
from tests.console.auth.people import Staff
from tests.console.site import AUDITOR, OPERATOR, URL, ConsoleSite

ROLES = {"o": OPERATOR, "a": AUDITOR, "b": "beta"}
"""An operator, an auditor, and the administrator of a body that the letter asked for is not to be seen by."""
EVERYBODY = "oab"
LETTER = "0" * 64
TASK = "0" * 16

TABLE = {
    "/": EVERYBODY,
    "/letters": EVERYBODY,
    "/letters.csv": EVERYBODY,
    "/letters/{digest}": EVERYBODY,
    "/letters/{digest}/content": EVERYBODY,
    "/letters/{digest}/content/{number:int}": EVERYBODY,
    "/letters/{digest}/evidence": EVERYBODY,
    "/letters/views": EVERYBODY,
    "/letters/views/delete": EVERYBODY,
    "/failures": EVERYBODY,
    "/failures/note": "o",
    "/enrolment": "o",
    "/enrolment/{case}": "o",
    "/failures.csv": EVERYBODY,
    "/tasks": "oa",
    "/tasks/preview": "o",
    "/tasks/{task}": "oa",
    "/tasks/{task}/begin": "o",
    "/tasks/{task}/act": "o",
    "/routes": EVERYBODY,
    "/routes.csv": EVERYBODY,
    "/bodies": EVERYBODY,
    "/bodies.csv": EVERYBODY,
    "/bodies/{code}": EVERYBODY,
    "/report": EVERYBODY,
    "/report.csv": EVERYBODY,
    "/alerts": EVERYBODY,
    "/alerts/{name}": EVERYBODY,
    "/audit": "a",
    "/audit/export": "a",
    "/audit/verify": "a",
    "/audit/replay": "a",
    "/audit/log": "a",
    "/audit/checks/{check}": "a",
    "/search": EVERYBODY,
    "/account": EVERYBODY,
    "/account/password": EVERYBODY,
    "/account/end-other-sessions": EVERYBODY,
    "/sign-out": EVERYBODY,
    "/api/v1/letters": EVERYBODY,
    "/api/v1/letters/{digest}": EVERYBODY,
    "/api/v1/letters/{digest}/log": "oa",
    "/api/v1/acts": "a",
    "/api/v1/audits": "a",
    "/api/v1/overview": "oa",
    "/api/v1/find": EVERYBODY,
    "/api/v1/failures": EVERYBODY,
    "/api/v1/routes": EVERYBODY,
    "/api/v1/bodies": EVERYBODY,
    "/api/v1/bodies/{code}": EVERYBODY,
    "/api/v1/now": EVERYBODY,
    "/api/v1/report": EVERYBODY,
    "/api/v1/tasks": "oa",
    "/api/v1/tasks/preview": "o",
    "/api/v1/tasks/{task}": "oa",
    "/api/v1/tasks/{task}/letters": "oa",
    "/api/v1/tasks/{task}/begin": "o",
    "/api/v1/tasks/{task}/approve": "o",
    "/api/v1/tasks/{task}/pause": "o",
    "/api/v1/tasks/{task}/resume": "o",
    "/api/v1/tasks/{task}/cancel": "o",
}
"""Who is let in, by address; what one role may not see of it, it answers as if it were not there (404).

`/api/v1/stream` has no end, so it is asked for in its own tests.
"""
ELSEWHERE = {"/api/v1/stream"}


def routes(app: Starlette) -> Iterator[Route]:
    """Every address but our own files."""
    for route in app.routes:
        assert isinstance(route, Route | Mount), route
        if isinstance(route, Route):
            yield route


def address(route: Route) -> str:
    """An address of the route; of no letter that there is."""
    parts = {"{digest}": LETTER, "{code}": "beta", "{number:int}": "0", "{task}": TASK, "{check}": TASK}
    parts["{case}"] = TASK
    path = route.path
    for part, value in parts.items():
        path = path.replace(part, value)
    return path


async def test_every_address_and_every_role(standing: ConsoleSite, staff: Staff) -> None:
    """Strangers are let in nowhere but where one signs in; each role only where its row says."""
    office = TaskOffice(staff.desk, standing.desk.store, standing.desk.now)
    desk = replace(standing.desk, people=staff.people(URL), tasks=office, own=staff.desk)
    site = replace(standing, application=create_app(desk, CollectorRegistry()))
    unlisted = {route.path for route in routes(site.application) if not is_open(route.path)}
    assert unlisted == {*TABLE, *ELSEWHERE}
    for route in routes(site.application):
        if is_open(route.path) or route.path in ELSEWHERE:
            continue
        for method in sorted((route.methods or set()) - {"HEAD"}):
            async with site.client() as stranger:
                assert (await stranger.request(method, address(route))).status_code == 401, route.path
            for role, login in ROLES.items():
                async with site.client(login) as client:
                    status = (await client.request(method, address(route))).status_code
                assert (status not in {401, 403, 500}) == (role in TABLE[route.path]), (route.path, login, status)
