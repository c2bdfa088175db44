"""The exchange's own bodies that speak for its services, and which lane a body's statements are decided in.

A service says what it has to say as a body of its own: with a statement certificate that the directory lists,
in an origin, numbered and journalled like everybody's word. These bodies have a lane to themselves, behind those
of all others: what they say comes by `exchange.commands`, where no body's agent can write (ADR 0015).
"""

from collections.abc import Mapping
from types import MappingProxyType

from exchange.domain.directory import Body, Directory
from exchange.domain.entry import OWN_KIND
from exchange.domain.ids import lane_of
from exchange.domain.statement import Command, Deadline, Open, Statement, Void

TRACKER_BODY = "exchange-tracker"
"""Says that deadlines have passed."""
CONSOLE_BODY = "exchange-console"
"""Says what operators do."""
ARCHIVE_BODY = "exchange-archive"
"""Says what people do on the archive's machine."""
ARCHIVE_ACTS = "archive-"
"""How the acts that the archive's body says begin: none of them has an effect beyond the journal (ADR 0022)."""

ECHO_BODY = "echo"
"""Answers every letter, so that a body can try the whole way."""

_SAYS: Mapping[str, type] = MappingProxyType({TRACKER_BODY: Deadline, CONSOLE_BODY: Command, ARCHIVE_BODY: Command})

SERVICE_BODIES = frozenset(_SAYS)
"""Codes of the bodies that speak for services."""


def speaks_for_service(body: Body) -> bool:
    """Whether a body speaks for one of the exchange's services; the echo and the paper bridge do not."""
    return body.code in SERVICE_BODIES and body.kind == OWN_KIND


def may_say(body: Body, statement: Statement) -> bool:
    """Whether a statement of that kind is the body's to say, in its lane.

    Origins are everybody's. Beside them a service's body says one kind only, and no body of another kind says that;
    the archive's says none of the commands that set something going or have something deleted.
    """
    if isinstance(statement, Open | Void):
        return True
    if body.code == ARCHIVE_BODY and isinstance(statement, Command) and speaks_for_service(body):
        return statement.action.startswith(ARCHIVE_ACTS)
    if speaks_for_service(body):
        return isinstance(statement, _SAYS[body.code])
    return not isinstance(statement, Deadline | Command)


def lane_in(directory: Directory, code: str) -> int:
    """The lane of a body's statements (rule 2.1): that of the services is the one behind all others."""
    body = directory.bodies.get(code)
    if body is not None and speaks_for_service(body):
        return directory.lanes
    return lane_of(code, directory.lanes)


def takes_letters(body: Body) -> bool:
    """Whether a body can be written to: who speaks for a service only speaks."""
    return body.reachable and not speaks_for_service(body)
