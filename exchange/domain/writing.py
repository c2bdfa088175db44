"""Who may write to whom: lines of the policy, the first that fits decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exchange.domain.directory import Body
from exchange.domain.group import Expression


@dataclass(frozen=True, slots=True)
class WritingRule:
    """One line: whether the bodies of one group may write to those of another."""

    senders: Expression
    recipients: Expression
    allowed: bool


def allowed(rules: Sequence[WritingRule], sender: Body, recipients: Iterable[Body]) -> list[Body]:
    """Those of `recipients` whom `sender` may write to; where no rule fits, everybody may."""
    concerned = [rule for rule in rules if sender in rule.senders]
    if not concerned:
        return list(recipients)
    return [body for body in recipients if _first(concerned, body)]


def _first(concerned: Iterable[WritingRule], recipient: Body) -> bool:
    return next((rule.allowed for rule in concerned if recipient in rule.recipients), True)
