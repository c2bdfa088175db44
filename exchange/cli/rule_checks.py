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
    match difference.setting:
        case plan.RIGHT:
            return _right(difference, step)
        case plan.QUOTA:
            return _quota(difference, step)
        case wanted.GATEWAY:
            problem = f"nobody may fetch its letters: {difference.found}"
            return Finding(Severity.WARNING, "gateway-away", difference.subject, problem, step)
    return _topic(difference, step)


def _right(difference: Difference, step: str) -> Finding:
    if difference.expected:
        return Finding(Severity.ERROR, "right-missing", difference.subject, f"lacks: {difference.expected}", step)
    problem = f"has, and should not: {difference.found}"
    return Finding(Severity.ERROR, "right-stray", difference.subject, problem, step)


def _quota(difference: Difference, step: str) -> Finding:
    if not difference.found:
        problem = f"has no quota of its own; must have: {difference.expected}"
        return Finding(Severity.WARNING, "quota-missing", difference.subject, problem, step)
    problem = f"its quota: {difference.found}; must be: {difference.expected or 'none of its own'}"
    return Finding(Severity.WARNING, "quota-differs", difference.subject, problem, step)


def _topic(difference: Difference, step: str) -> Finding:
    if not difference.expected:
        return Finding(Severity.WARNING, "topic-unknown", difference.subject, "nobody of the directory has it", step)
    problem = f"{difference.setting} is {difference.found or 'missing'}, must be {difference.expected}"
    return Finding(Severity.ERROR, "topic-differs", difference.subject, problem, step)


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
