"""To whom a statement goes (rules 1.7 and 3.1): pure, from the statement and versions of the directory.

A letter to a group means the bodies that the group names in the version of the directory that the
letter names, which is the one that its sender saw. Of these it goes to whom the sender may write, by the
version and the policy in force (ADR 0013).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from exchange.domain.decision import Refusal
from exchange.domain.directory import Body, Directory
from exchange.domain.group import Expression, GroupInvalid, parse_group, reached
from exchange.domain.own_bodies import takes_letters
from exchange.domain.paper import paper_refusal
from exchange.domain.policy import GROUP_VERSIONS, RECIPIENTS, Policy
from exchange.domain.reason import Reason
from exchange.domain.statement import Command, Deadline, Group, Letter, Receipt, Statement
from exchange.domain.writing import allowed

Versions = Callable[[int], Directory | None]
"""A version of the directory by its number, None when it is not at hand."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """Codes of the bodies that an accepted statement goes to, or why it goes to nobody."""

    recipients: tuple[str, ...] = ()
    refusal: Refusal | None = None


def other_version(statement: Statement | None, directory: Directory) -> int | None:
    """The version that a letter to a group is expanded by, when it is not `directory`, which is in force."""
    group = statement.group if isinstance(statement, Letter) else None
    if group is None or group.directory_version == directory.version or _is_far(group, directory):
        return None
    return group.directory_version


@dataclass(frozen=True, slots=True)
class Question:
    """Whom a body reaches with a group; of directories and policy the digests compare."""

    expression: Expression
    sender: str
    digests: tuple[bytes, bytes, bytes] = field(init=False)
    directory: Directory = field(compare=False, repr=False)
    named: Directory = field(compare=False, repr=False)
    policy: Policy = field(compare=False, repr=False)

    def __post_init__(self) -> None:
        """Note by what it is answered."""
        object.__setattr__(self, "digests", (self.directory.digest, self.named.digest, self.policy.digest))


@dataclass(frozen=True, slots=True)
class Expansion:
    """The answer: `bodies` whom the sender may write to, or `slip`, a term that names nobody."""

    bodies: tuple[Body, ...] = ()
    slip: str | None = None


Expand = Callable[[Question], Expansion]
EXPANSIONS = 64


def remembering() -> Expand:
    """Expands groups and remembers the last answers: of a country each takes milliseconds, and asking is cheap."""
    return lru_cache(EXPANSIONS)(expand)


def expand(question: Question) -> Expansion:
    """Every term must name somebody: a slip in what is left out would write to whom it was to leave out."""
    slip = next(question.expression.idle(question.named.bodies), None)
    if slip is not None:
        return Expansion(slip=slip)
    present = reached(question.expression, question.sender, question.directory, question.named)
    speaker = question.directory.bodies[question.sender]
    return Expansion(tuple(allowed(question.policy.writing, speaker, present)))


@dataclass(frozen=True, slots=True)
class Standpoint:
    """By what it is found to whom something goes.

    Attributes:
        directory: the version in force.
        named: the version that a letter to a group is expanded by.
        policy: in force.
        at: the time of the decision.
        expand: answers whom a group reaches.
    """

    directory: Directory
    named: Directory
    policy: Policy
    at: datetime
    expand: Expand


def addressed(statement: Statement, by: Standpoint) -> Addressed:
    """Whom `statement` goes to; an open, a void and a command that carries nothing go to nobody."""
    match statement:
        case Letter():
            return _of_letter(statement, by)
        case Receipt():
            # What somebody has sent may be answered for, whoever may write to whom.
            return _to_codes((statement.sender,), by.directory)
        case Deadline():
            # That it has passed is to stand in the journal, whoever can be told.
            return Addressed(tuple(code for code in statement.notify if _is_told(code, by.directory)))
        case Command() if statement.contents:
            return _to_codes((statement.recipient,), by.directory)
    return Addressed()


def _of_letter(statement: Letter, by: Standpoint) -> Addressed:
    if statement.group is None:
        return _counted(statement) or _permitted(statement, by)
    if statement.recipients:
        return _refused(Reason.RECIPIENTS_AND_GROUP, f"group, recipients: {len(statement.recipients)}")
    if _is_far(statement.group, by.directory):
        versions = f"{statement.group.directory_version}, in force is {by.directory.version}"
        return _refused(Reason.GROUP_OUTDATED, f"group.directory_version: {versions}")
    return _to_group(statement, statement.group, by)


def names(letter: Letter, code: str, versions: Callable[[int], Directory]) -> bool:
    """Whether a letter that was accepted is addressed to `code`: what its recipient, and its sender, can tell.

    Args:
        letter: the letter.
        code: a body's.
        versions: gives the version of the directory that a group is expanded by.
    """
    if letter.group is None:
        return code in letter.recipients
    body = versions(letter.group.directory_version).bodies.get(code)
    try:
        return body is not None and code != letter.head.body and body in parse_group(letter.group.expression)
    except GroupInvalid:
        return False


def _to_group(letter: Letter, group: Group, by: Standpoint) -> Addressed:
    try:
        expression = parse_group(group.expression)
    except GroupInvalid as error:
        return _refused(Reason.GROUP_INVALID, str(error))
    expansion = by.expand(Question(expression, letter.head.body, by.directory, by.named, by.policy))
    if expansion.slip is not None:
        return _refused(Reason.RECIPIENT_UNKNOWN, f"group: '{expansion.slip[:63]}' names nobody")
    speaker = by.directory.bodies[letter.head.body]
    found = tuple(body.code for body in expansion.bodies if paper_refusal(speaker, body, by.at) is None)
    return Addressed(found) if found else _refused(Reason.RECIPIENT_MISSING, "group: nobody can be written to")


def _counted(letter: Letter) -> Addressed | None:
    """At least one bare body code, at most 64, each once (rule 1.7)."""
    if not letter.recipients:
        return _refused(Reason.RECIPIENT_MISSING, "recipients")
    if len(letter.recipients) > RECIPIENTS:
        return _refused(Reason.RECIPIENTS_TOO_MANY, f"recipients: {len(letter.recipients)}")
    if len(set(letter.recipients)) < len(letter.recipients):
        return _refused(Reason.RECIPIENT_REPEATED, "recipients")
    return None


def _permitted(letter: Letter, by: Standpoint) -> Addressed:
    """The policy lets them write to each other, and what goes by paper may still go by paper, at both ends."""
    found = _to_codes(letter.recipients, by.directory)
    if found.refusal is not None:
        return found
    speaker = by.directory.bodies[letter.head.body]
    those = [by.directory.bodies[code] for code in letter.recipients]
    permitted = {body.code for body in allowed(by.policy.writing, speaker, those)}
    for index, body in enumerate(those):
        if body.code not in permitted:
            return _refused(Reason.RECIPIENT_FORBIDDEN, f"recipients[{index}]: '{body.code}'")
        refusal = paper_refusal(speaker, body, by.at)
        if refusal is not None:
            return Addressed(refusal=refusal)
    return found


def _to_codes(codes: tuple[str, ...], directory: Directory) -> Addressed:
    """Every recipient stands in the directory and can be written to."""
    for index, code in enumerate(codes):
        body = directory.bodies.get(code)
        if body is None:
            return _refused(Reason.RECIPIENT_UNKNOWN, f"recipients[{index}]: '{code[:63]}'")
        if not takes_letters(body):
            return _refused(Reason.RECIPIENT_NOT_CONNECTED, f"recipients[{index}]: '{code}' is {body.status}")
    return Addressed(codes)


def _is_told(code: str, directory: Directory) -> bool:
    body = directory.bodies.get(code)
    return body is not None and takes_letters(body)


def _is_far(group: Group, directory: Directory) -> bool:
    return group.directory_version < 1 or abs(group.directory_version - directory.version) > GROUP_VERSIONS


def _refused(reason: Reason, detail: str) -> Addressed:
    return Addressed(refusal=Refusal(reason, detail))
