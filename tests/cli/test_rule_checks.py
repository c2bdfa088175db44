"""What `doctor` says of topics, rights and quotas."""

import pytest

from exchange.bus.difference import Difference
from exchange.cli.findings import Finding, Severity
from exchange.cli.rule_checks import SHOWN, few, reported_finding, rule_finding

APPLY = "exchange directory apply"


@pytest.mark.parametrize(
    ("difference", "code", "severity", "says"),
    [
        (Difference("mfa", "right", "mfa may READ x", ""), "right-missing", Severity.ERROR, "lacks: mfa may READ x"),
        (Difference("mfa", "right", "", "mfa may READ x"), "right-stray", Severity.ERROR, "should not: mfa may READ x"),
        (
            Difference("mfa", "quota", "writes 1", ""),
            "quota-missing",
            Severity.WARNING,
            "no quota of its own; must have: writes",
        ),
        (Difference("mfa", "quota", "", "writes 1"), "quota-differs", Severity.WARNING, "writes 1; must be: none"),
        (Difference("t", "retention.ms", "-1", "5"), "topic-differs", Severity.ERROR, "retention.ms is 5, must be -1"),
        (Difference("t", "topic", "exists", ""), "topic-differs", Severity.ERROR, "topic is missing, must be exists"),
        (Difference("t", "topic", "", "exists"), "topic-unknown", Severity.WARNING, "nobody of the directory has it"),
        (
            Difference("v", "gateway", "x", "g is left"),
            "gateway-away",
            Severity.WARNING,
            "fetch its letters: g is left",
        ),
    ],
)
def test_what_a_difference_means(difference: Difference, code: str, severity: Severity, says: str) -> None:
    """Code, severity and words; the next step is the caller's."""
    finding = rule_finding(difference, APPLY)
    assert (finding.severity, finding.code, finding.subject) == (severity, code, difference.subject)
    assert says in finding.problem
    assert finding.next_step == APPLY


@pytest.mark.parametrize(
    ("setting", "step"),
    [("right", "kafka-acls"), ("topic", "who made it"), ("gateway", "connect the gateway"), ("partitions", "fixed")],
)
def test_what_only_a_person_may_change(setting: str, step: str) -> None:
    """Each kind has a next step of its own."""
    assert step in reported_finding(Difference("x", setting, "", "something")).next_step


def test_thousands_of_a_kind_are_told_in_few_words() -> None:
    """The first ones, and how many others."""
    many = [Finding(Severity.ERROR, "right-missing", f"b{number}", "lacks", APPLY) for number in range(SHOWN + 936)]
    one = Finding(Severity.WARNING, "quota-missing", "b", "none", APPLY)
    assert few([one, *many[:SHOWN]]) == [one, *many[:SHOWN]]
    *first, last, other = few([*many, one])
    assert first == many[:SHOWN]
    assert (last.subject, last.next_step) == ("936 others", APPLY)
    assert other == one
