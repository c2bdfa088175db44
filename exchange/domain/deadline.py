"""Deadlines: the stages of a delivery that have one, how long each may last, and who is told when one has passed.

The policy's lines are rules; **the first one that fits decides**, and where none fits the stage has no deadline. A
deadline is reckoned from the journal's time of the record that began its stage. It has passed only by the journal's
own time, too (rule 4.3).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from exchange.domain.calendar import Calendar, CalendarEnded
from exchange.domain.directory import Body
from exchange.domain.group import Expression
from exchange.domain.ids import digest
from exchange.domain.reason import Reason


class Stage(StrEnum):
    """What is awaited of a delivery; each begins when the one before ends."""

    DELIVER = "deliver"
    HAND_OVER = "hand-over"
    REGISTER = "register"
    REPLY = "reply"


LATE: Mapping[Stage, Reason] = {
    Stage.DELIVER: Reason.NOT_DELIVERED_IN_TIME,
    Stage.HAND_OVER: Reason.NOT_HANDED_OVER_IN_TIME,
    Stage.REGISTER: Reason.NOT_REGISTERED_IN_TIME,
    Stage.REPLY: Reason.NOT_ANSWERED_IN_TIME,
}
"""What is said when a stage's deadline has passed."""


class Unit(StrEnum):
    """In what a stage's time is told."""

    SECONDS = "seconds"
    """By the clock, day and night."""
    WORKING_SECONDS = "working seconds"
    WORKING_DAYS = "working days"
    """To the end of the so-many-th working day after that on which the stage began."""
    REPLY_DUE = "reply due"
    """To the end of the day by which the letter's sender wants an answer; none fits a letter that names no day."""
    NEVER = "never"
    """Without end."""


class Party(StrEnum):
    """A body that a deadline concerns."""

    SENDER = "sender"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Within:
    """How long a stage may last; `amount` is 0 where the unit says everything."""

    unit: Unit
    amount: int = 0


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """A line of the policy; what is empty or None leaves the rule to fit all.

    Attributes:
        urgencies: names of `Urgency`.
        kinds: names of `LetterKind`.
        senders: whose letters.
        recipients: letters to whom.
        notify: who is told when it has passed.
    """

    stage: Stage
    within: Within
    notify: tuple[Party, ...] = ()
    urgencies: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    senders: Expression | None = None
    recipients: Expression | None = None


@dataclass(frozen=True, slots=True)
class DeadlinePolicy:
    """The policy's lines about deadlines.

    Attributes:
        calendar: None where no rule needs one.
        digest: of what these lines say; empty when there are none.
    """

    calendar: Calendar | None = None
    rules: tuple[DeadlineRule, ...] = ()
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Matter:
    """What of a letter decides on its deadlines; names of `LetterKind` and `Urgency`."""

    sender: str
    kind: str
    urgency: str
    reply_due: date | None


@dataclass(frozen=True, slots=True)
class Terms:
    """The deadlines of one policy among the bodies of one version of the directory.

    Attributes:
        policy: the rules.
        bodies: by code; a rule for some bodies fits none that is not listed.
    """

    policy: DeadlinePolicy
    bodies: Mapping[str, Body]
    _named: dict[str, tuple[frozenset[int], frozenset[int]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def digest(self) -> bytes:
        """The same for terms under which everything is due at the same times: of the lines, and whom they name."""
        named = [
            [expression and [body.code for body in expression.members(self.bodies)] for expression in groups]
            for groups in ((rule.senders, rule.recipients) for rule in self.policy.rules)
        ]
        return digest(self.policy.digest + json.dumps(named).encode())

    def rule(self, stage: Stage, matter: Matter, recipient: str) -> DeadlineRule | None:
        """The rule that decides; None: the stage has no deadline."""
        sending, receiving = self.standing(matter.sender)[0], self.standing(recipient)[1]
        for index, rule in enumerate(self.policy.rules):
            if (
                rule.stage is stage
                and index in sending
                and index in receiving
                and (not rule.urgencies or matter.urgency in rule.urgencies)
                and (not rule.kinds or matter.kind in rule.kinds)
                and (rule.within.unit is not Unit.REPLY_DUE or matter.reply_due is not None)
            ):
                return rule
        return None

    def due(self, stage: Stage, began: datetime, matter: Matter, recipient: str) -> datetime | None:
        """When a stage must have ended; None: it has no deadline.

        Raises:
            CalendarEnded: nobody can say yet.
        """
        rule = self.rule(stage, matter, recipient)
        if rule is None or rule.within.unit is Unit.NEVER:
            return None
        amount, calendar = rule.within.amount, self.policy.calendar
        if rule.within.unit is Unit.SECONDS or calendar is None:
            return began + timedelta(seconds=amount)
        match rule.within.unit:
            case Unit.WORKING_SECONDS:
                return calendar.after(began, timedelta(seconds=amount))
            case Unit.WORKING_DAYS:
                return calendar.close(began, amount)
        # The sender may have named a day that had gone by: nobody is late before the stage began.
        return max(began, calendar.end_of(matter.reply_due or calendar.day_of(began)))

    def due_or_none(self, stage: Stage, began: datetime, matter: Matter, recipient: str) -> datetime | None:
        """As `due`, but None where the calendar has ended: once it goes on, deadlines are reckoned again."""
        try:
            return self.due(stage, began, matter, recipient)
        except CalendarEnded:
            return None

    def notified(self, stage: Stage, matter: Matter, recipient: str) -> tuple[str, ...]:
        """Codes of the bodies that are told when the stage's deadline has passed."""
        rule = self.rule(stage, matter, recipient)
        parties = {Party.SENDER: matter.sender, Party.RECIPIENT: recipient}
        return tuple(dict.fromkeys(parties[party] for party in rule.notify)) if rule else ()

    def standing(self, code: str) -> tuple[frozenset[int], frozenset[int]]:
        """Indices of the rules that may fit what a body sends, and what it gets."""
        found = self._named.get(code)
        if found is None:
            body = self.bodies.get(code)
            senders, recipients = [], []
            for index, rule in enumerate(self.policy.rules):
                if rule.senders is None or (body is not None and body in rule.senders):
                    senders.append(index)
                if rule.recipients is None or (body is not None and body in rule.recipients):
                    recipients.append(index)
            found = self._named[code] = frozenset(senders), frozenset(recipients)
        return found


NO_DEADLINES = DeadlinePolicy()
NO_TERMS = Terms(NO_DEADLINES, {})
"""Nothing has a deadline."""
