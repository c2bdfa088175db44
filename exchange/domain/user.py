"""Who sits at the operators' console, and what each may do there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is at the exchange."""

    OPERATOR = "operator"
    """Sees the metadata of all routes and sets letters going again; never content."""
    BODY_ADMINISTRATOR = "body-administrator"
    """Sees one body's deliveries, with content, and keeps its keys."""
    AUDITOR = "auditor"
    """Reads, replays, verifies, exports; never sets anything going."""


class Right(StrEnum):
    """One thing that may be done."""

    SEE_ALL = "see-all"
    """Deliveries of every body; without it only those of one's own."""
    SEE_CONTENT = "see-content"
    REDRIVE = "redrive"
    APPROVE = "approve"
    """A body's enrolment, and another person's dangerous task."""
    SEE_ACTS = "see-acts"
    """Who did or viewed what."""
    REPLAY = "replay"
    EXPORT = "export"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset({Right.SEE_ALL, Right.REDRIVE, Right.APPROVE, Right.EXPORT}),
    Role.BODY_ADMINISTRATOR: frozenset({Right.SEE_CONTENT, Right.EXPORT}),
    Role.AUDITOR: frozenset({Right.SEE_ALL, Right.SEE_ACTS, Right.REPLAY, Right.EXPORT}),
}
"""The table of roles."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signed in.

    Attributes:
        login: unique name; acts in the journal carry it.
        name: for people.
        roles: at least one.
        body: code of the body whose administrator this is, else empty.
    """

    login: str
    name: str
    roles: frozenset[Role]
    body: str = ""

    def may(self, right: Right) -> bool:
        """Whether any of the roles has the right."""
        return any(right in RIGHTS[role] for role in self.roles)

    def may_see(self, *bodies: str) -> bool:
        """Whether a delivery between `bodies` is this person's to see."""
        return self.may(Right.SEE_ALL) or bool(self.body and self.body in bodies)

    def may_read(self, *bodies: str) -> bool:
        """Whether what people wrote in a letter between `bodies` is this person's to read."""
        return self.may(Right.SEE_CONTENT) and bool(self.body and self.body in bodies)
