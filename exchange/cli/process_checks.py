"""Processes of an installation that wait, as findings, and bodies that wait because they were suspended."""

from collections.abc import Iterator, Mapping
from itertools import takewhile

from exchange.cli.findings import Check, Finding, Severity
from exchange.cli.words import local
from exchange.domain.directory import BodyStatus
from exchange.domain.errors import ExchangeError
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.history import EntryStep, entry_steps
from exchange.settings.tables import DirectorySettings

_AGENT = "agent-"
_NAME = "processes"


def check_processes(place: DirectorySettings, waiting: Mapping[str, str]) -> Check:
    """Whether every process does its work.

    Args:
        place: of the directory, which may say why a body's agent cannot.
        waiting: what each process waits for by its role, empty when it works; an agent's role names its body.
    """
    if not waiting:
        return Check(_NAME, skipped="none of this installation is known here")
    findings = [_finding(place, role, reason) for role, reason in waiting.items() if reason]
    return Check(_NAME, tuple(findings))


def _finding(place: DirectorySettings, role: str, reason: str) -> Finding:
    code = role.removeprefix(_AGENT)
    suspension = list(_suspension(place, code)) if role != code else []
    if not suspension:
        step = "see its log; for a dev installation: exchange dev up"
        return Finding(Severity.ERROR, "process-waits", role, f"waits for {reason}", step)
    first = suspension[-1]
    problem = f"is suspended in the directory since version {first.version}"
    if first.body.change is not None:
        problem += f" of {local(first.body.change.at)}, by {first.body.change.by}: {first.body.change.reason}"
    step = f"exchange directory show {code}; what undoes it: exchange directory resume {code}"
    return Finding(Severity.WARNING, "body-suspended", code, f"{problem}; its agent waits meanwhile", step)


def _suspension(place: DirectorySettings, code: str) -> Iterator[EntryStep]:
    """The entries of a body since it was suspended, the newest first; none when it is not, or nobody can tell."""
    try:
        folder = DirectoryFolder.at(place.folder, place.root)
        if code in folder.latest().bodies:
            yield from takewhile(lambda step: step.body.status is BodyStatus.SUSPENDED, entry_steps(folder, code))
    except ExchangeError:
        return  # what is wrong with the directory is told where that is looked at
