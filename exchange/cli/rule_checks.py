"""Topics, rights and quotas that are not what the directory says, as findings."""

from collections import defaultdict
from dataclasses import replace

from exchange.bus.difference import MISSING_TOPIC, Difference
from exchange.cli.findings import Finding, Severity
from exchange.domain.directory import Directory
from exchange.services.reconcile import plan, wanted
from exchange.services.reconcile.cluster import Cluster
from exchange.settings import OperatorSettings
from exchange.wiring.reconcile import must_be

SHOWN = 5
"""So many findings of a kind are told one by one."""

# What a person has to do about what no program may change, by what it is about.
_STEPS = {
    plan.RIGHT: "if nobody means it: kafka-acls --remove --allow-principal User:<principal> …, or --deny-principal",
    MISSING_TOPIC: "find out who made it; the exchange deletes no topic",
    wanted.GATEWAY: "connect the gateway, or name another one in the body's entry",
}
_STEP_FIXED = "fixed at installation: see docs/operator.md, 'Topics', before anything is changed"


async def check_rules(settings: OperatorSettings, directory: Directory | None) -> list[Finding]:
    """Topics, rights and quotas that are not what the directory says."""
    if directory is None:
        return []
    planned = await Cluster(settings.kafka).planned(must_be(settings, directory))
    findings = [rule_finding(change, "exchange directory apply") for change in planned.changes]
    return [*few(findings), *map(reported_finding, planned.reported)]


def reported_finding(difference: Difference) -> Finding:
    """What no program may change, and what a person has to do about it."""
    return rule_finding(difference, _STEPS.get(difference.setting, _STEP_FIXED))


def rule_finding(difference: Difference, step: str) -> Finding:
    """What a difference between directory and cluster means."""
    subject, expected, found = difference.subject, difference.expected, difference.found
    match difference.setting:
        case plan.RIGHT:
            code, severity = ("right-missing" if expected else "right-stray"), Severity.ERROR
            problem = f"lacks: {expected}" if expected else f"has, and should not: {found}"
        case plan.QUOTA:
            code, severity = ("quota-differs" if found else "quota-missing"), Severity.WARNING
            problem = f"quota: {found or 'none of its own'}; must be: {expected or 'none of its own'}"
        case wanted.GATEWAY:
            code, severity = "gateway-away", Severity.WARNING
            problem = f"nobody may fetch its letters: {found}"
        case setting:
            code, severity = "topic-differs", Severity.ERROR if expected else Severity.WARNING
            must = f"must be {expected}" if expected else "and no listed body has it"
            problem = f"{setting} is {found or 'missing'}, {must}"
    return Finding(severity, code, subject, problem, step)


def few(findings: list[Finding]) -> list[Finding]:
    """A fresh cluster lacks thousands of things; the first of each kind tell as much."""
    by_code: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_code[finding.code].append(finding)
    few = []
    for same in by_code.values():
        few += same[:SHOWN]
        if len(same) > SHOWN:
            others = f"{len(same) - SHOWN} others"
            few.append(replace(same[0], subject=others, problem="see: exchange directory plan"))
    return few
