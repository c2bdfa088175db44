"""Who may write to whom: the first line that fits decides."""

import pytest

from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.group import parse_group
from exchange.domain.writing import WritingRule, allowed


def body(code: str, kind: str) -> Body:
    """A body of a kind."""
    return Body(code, Names(code, code, code), kind, BodyStatus.CONNECTED)


BODIES = [body("president", "head"), body("court", "court"), body("mfa", "ministry"), body("village", "village")]
BY_CODE = {each.code: each for each in BODIES}


def rule(senders: str, recipients: str, *, allowed: bool) -> WritingRule:
    """A line of the policy."""
    return WritingRule(parse_group(senders), parse_group(recipients), allowed)


NO_VILLAGE_TO_HEAD = rule("kind:village", "kind:head", allowed=False)
NOBODY = rule("all", "all", allowed=False)
ONE_PAIR = rule("village", "president", allowed=True)


@pytest.mark.parametrize(
    ("rules", "sender", "may"),
    [
        ((), "village", "president court mfa village"),
        ((NO_VILLAGE_TO_HEAD,), "village", "court mfa village"),
        ((NO_VILLAGE_TO_HEAD,), "mfa", "president court mfa village"),
        ((ONE_PAIR, NO_VILLAGE_TO_HEAD), "village", "president court mfa village"),
        ((NO_VILLAGE_TO_HEAD, ONE_PAIR), "village", "court mfa village"),
        ((ONE_PAIR, NOBODY), "village", "president"),
        ((ONE_PAIR, NOBODY), "mfa", ""),
    ],
)
def test_the_first_line_that_fits_decides(rules: tuple[WritingRule, ...], sender: str, may: str) -> None:
    """Where none fits, everybody may write to everybody."""
    assert [each.code for each in allowed(rules, BY_CODE[sender], BODIES)] == may.split()
