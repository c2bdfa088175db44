"""What deadlines and commands may say (protocol sections 4.3 and 6): rules of one statement, each giving its refusal.

Who may say them is `exchange.domain.own_bodies`'s. A body's administrator reads their texts, so they are
bounded; and a redrive carries what it names, or nothing is handed over on its word.
"""

import re

from exchange.domain.deadline import Stage
from exchange.domain.decision import Decided, Journalled, Refusal, Verdict
from exchange.domain.errors import WireError
from exchange.domain.ids import digest, is_body_code
from exchange.domain.reason import Reason
from exchange.domain.statement import Command, Content, Deadline, Letter
from exchange.wire.records import decode

REDRIVE = "redrive"
"""The one action with an effect beyond the journal."""
DELETE_CONTENTS = "delete-contents"
"""Orders that the archive deletes contents (rule 5.1): of the letter named, of whole months without one."""
NAME_CHARACTERS = 200
TEXT_CHARACTERS = 1000
JOURNALLED_MEDIA_TYPE = "application/vnd.kg.exchange.journalled+avro"

_ACTION = re.compile(r"[a-z](?:[a-z-]{0,38}[a-z])?")
_STAGES = frozenset(stage.value for stage in Stage)
_NAMES = ("task", "person", "second")
_TEXTS = ("reason", "detail")


def deadline_refusal(deadline: Deadline) -> Refusal | None:
    """A stage that there is, of a delivery between two bodies, that was due before the journal's time."""
    if deadline.stage not in _STAGES:
        return _invalid(f"stage: '{deadline.stage[:40]}'")
    parties = (deadline.sender, deadline.recipient)
    for name, code in zip(("sender", "recipient"), parties, strict=True):
        if not is_body_code(code):
            return _invalid(f"{name}: '{code[:63]}'")
    if len(set(deadline.notify)) < len(deadline.notify) or not set(deadline.notify) <= set(parties):
        return _invalid("notify: more than sender and recipient")
    return None if deadline.through > deadline.due else _invalid("through: not later than due")


def command_refusal(command: Command) -> Refusal | None:
    """An action's name and bounded texts; only a redrive names what it is to do, and carries it."""
    if not _ACTION.fullmatch(command.action):
        return _invalid(f"action: '{command.action[:40]}'")
    return _words_refusal(command) or _effect_refusal(command)


def _words_refusal(command: Command) -> Refusal | None:
    if not command.person:
        return _invalid("person: nobody")
    for names, most in ((_NAMES, NAME_CHARACTERS), (_TEXTS, TEXT_CHARACTERS)):
        for name in names:
            length = len(getattr(command, name))
            if length > most:
                return _invalid(f"{name}: {length} characters, at most {most}")
    if command.recipient and not is_body_code(command.recipient):
        return _invalid(f"recipient: '{command.recipient[:63]}'")
    return None


def _effect_refusal(command: Command) -> Refusal | None:
    if command.action != REDRIVE:
        return _invalid("contents: only a redrive carries something") if command.contents else None
    if command.letter is None or not command.recipient:
        return _invalid("letter, recipient: a redrive names both")
    return None if len(command.contents) == 1 else _invalid("contents: a redrive carries one item")


def redrive_refusal(command: Command, contents: tuple[Content, ...]) -> Refusal | None:
    """What a redrive carries is the journal's record of the accepted letter that it names, for that recipient.

    The recipient's agent verifies the letter as ever: neither the sender's signature nor whom a group
    reaches is for us to believe or to find out again.
    """
    try:
        decided = decode(Decided, decode(Journalled, contents[0].data).entry)
        letter = decode(Letter, decided.statement)
    except WireError as error:
        return Refusal(Reason.REDRIVE_MISMATCH, f"contents[0]: {error}"[:200])
    decision = decided.decision
    if decision.verdict is not Verdict.ACCEPTED:
        return Refusal(Reason.REDRIVE_MISMATCH, "contents[0]: no accepted letter")
    if not digest(decided.statement) == decision.statement == command.letter:
        return Refusal(Reason.REDRIVE_MISMATCH, "contents[0]: another letter")
    named = letter.recipients if letter.group is None else decision.recipients
    if command.recipient not in named:
        return Refusal(Reason.REDRIVE_MISMATCH, f"recipient: '{command.recipient}' is not addressed")
    return None


def _invalid(detail: str) -> Refusal:
    return Refusal(Reason.COMMAND_INVALID, detail)


def deletion_order(entry: bytes) -> Command | None:
    """The command of an entry that orders a deletion, accepted; None for any other entry."""
    try:
        decided = decode(Decided, entry)
        command = decode(Command, decided.statement)
    except WireError:
        return None
    is_accepted = decided.decision.verdict is Verdict.ACCEPTED
    return command if is_accepted and command.action == DELETE_CONTENTS else None
