"""What cases of enrolment are told with: steps, faults, and the keepers' commands, to be copied as they are."""

import shlex
from collections.abc import Mapping

from exchange.console.cases import Case, Step
from exchange.console.pages.wording import Label, Tone, _
from exchange.domain.directory import BodyStatus
from exchange.store.desk.approvals import Verdict

STEPS: Mapping[Step, Label] = {
    Step.REQUESTED: Label(_("Request received"), "inbox", Tone.GOOD, _("Somebody entered it here.")),
    Step.CERTIFIED: Label(_("Certificate issued"), "check", Tone.GOOD, _("The directory lists its certificate.")),
    Step.SPOKE: Label(_("Connected"), "live", Tone.GOOD, _("The journal has a word that its agent signed.")),
    Step.EXCHANGED: Label(
        _("Test exchange passed"), "reply", Tone.GOOD, _("A letter went to the echo, and its reply arrived.")
    ),
    Step.APPROVED: Label(_("Approved"), "person", Tone.GOOD, _("A second person agreed.")),
    Step.CONNECTED: Label(_("In the directory"), "check", Tone.GOOD, _("Everybody may write to it.")),
}

NEXT: Mapping[Step, str] = {
    Step.CERTIFIED: _("Two keepers let it in: they issue its certificates and list it as testing."),
    Step.SPOKE: _("The body installs the answer and starts its agent."),
    Step.EXCHANGED: _("The body tries the whole way with its self-test."),
    Step.APPROVED: _("Another person than the one who asked approves or refuses."),
    Step.CONNECTED: _("Two keepers sign its place in the directory."),
}
"""Whose move it is, by the step that comes next."""

VERDICTS: Mapping[Verdict, Label] = {
    Verdict.OPEN: Label(_("Waits for approval"), "person", Tone.WARN),
    Verdict.APPROVED: Label(_("Approved"), "check", Tone.GOOD),
    Verdict.DECLINED: Label(_("Refused"), "cross", Tone.BAD),
}

FAULTS: Mapping[str, tuple[str, str]] = {
    "enrolment-invalid": ("f-reason", _("Say why in 5 to 500 characters, and choose a body that is being tested.")),
    "enrolment-request-wrong": ("f-request", _("The request cannot be granted as it is. Nothing was entered.")),
    "enrolment-open": ("", _("Somebody asked for this body already: look at the case that waits.")),
    "enrolment-second-person": ("", _("You asked for this yourself: another person must answer.")),
    "enrolment-decided": (
        "",
        _("It was answered meanwhile, or the body's certificate is another now. Nothing was changed."),
    ),
    "enrolment-untested": ("", _("The test exchange has not passed by this certificate: it cannot be approved yet.")),
}
"""Field and words, by code."""

_KEY = "YOUR-KEY"


def commands(case: Case) -> list[str]:
    """What keepers, or the body, type next; each keeper with a key of their own, which no console has."""
    if case.approval.verdict is Verdict.DECLINED:
        is_testing = case.body is not None and case.body.status is BodyStatus.TESTING
        reason = f"refused by {case.approval.second}: {case.approval.remark}"
        return _change(case, "suspend", case.code, "--reason", _plain(reason)) if is_testing else []
    return _next_commands(case)


def _next_commands(case: Case) -> list[str]:
    code, approval = case.code, case.approval
    match case.next:
        case Step.CERTIFIED:
            request, reason = f"{code}.request.json", _plain(approval.reason)
            return _change(case, "grant", request, "--authority", "authority", "--reason", reason)
        case Step.SPOKE:
            return [shlex.join(("exchange", "body", "install", f"{code}.answer.json"))]
        case Step.EXCHANGED:
            return ["exchange body selftest"]
        case Step.CONNECTED:
            reason = f"selftest passed; asked for by {approval.person}, approved by {approval.second}: {approval.id}"
            return _change(case, "connect", code, "--reason", _plain(reason))
        case _:
            return []


def _change(case: Case, *words: str) -> list[str]:
    """One keeper enters a change, another looks at it and approves."""
    draft = f"{case.code}.json"
    entered = _line(*words, "--key", _KEY, "--draft", draft)
    return [entered, _line("draft", draft), _line("approve", draft, "--key", _KEY)]


def _line(*words: str) -> str:
    return shlex.join(("exchange", "directory", *words))


def _plain(text: str) -> str:
    """One line, whatever lines a person wrote."""
    return " ".join(text.split())
