"""What acts are called for people; English, messages of the catalogs. An act of another name is shown by its name."""

from collections.abc import Mapping

from exchange.console.api.audits_model import AuditKind
from exchange.console.pages.wording import Label, Tone, _
from exchange.domain.task import TaskAct
from exchange.journal.commands import REDRIVE
from exchange.journal.findings import FindingCode
from exchange.services.audit.findings import TreeCode, text_of

SIGNING_IN = Label(_("signing in"), "person", Tone.QUIET)
VIEWING = Label(_("viewing"), "search", Tone.ACTIVE)
CHANGING = Label(_("redelivery"), "again", Tone.WARN)
TAKING = Label(_("export"), "export", Tone.ACTIVE)
CHECKING = Label(_("checking"), "check", Tone.GOOD)
NOTING = Label(_("note"), "pen", Tone.QUIET)
ENROLLING = Label(_("enrolment"), "key", Tone.WARN)
KEEPING = Label(_("accounts"), "person", Tone.WARN)

ACTIONS: Mapping[str, tuple[str, Label]] = {
    "sign-in": (_("signed in"), SIGNING_IN),
    "sign-in-failed": (_("failed to sign in"), SIGNING_IN),
    "sign-out": (_("signed out"), SIGNING_IN),
    "change-password": (_("changed the own password"), SIGNING_IN),
    "view-content": (_("read what a letter says"), VIEWING),
    "download-content": (_("took a file of a letter"), VIEWING),
    "export": (_("exported a list"), TAKING),
    "evidence": (_("took a letter's evidence"), TAKING),
    "verify": (_("had the whole journal verified"), CHECKING),
    "verify-result": (_("result of the verification"), CHECKING),
    "replay": (_("had a range replayed"), CHECKING),
    "replay-result": (_("result of the replay"), CHECKING),
    "verify-log": (_("had the archive's log verified"), CHECKING),
    "verify-log-result": (_("result of the log's verification"), CHECKING),
    REDRIVE: (_("redelivered a letter"), CHANGING),
    TaskAct.SUBMIT.command: (_("asked a second person for a task"), CHANGING),
    TaskAct.START.command: (_("started a task"), CHANGING),
    TaskAct.APPROVE.command: (_("approved a task"), CHANGING),
    TaskAct.PAUSE.command: (_("paused a task"), CHANGING),
    TaskAct.RESUME.command: (_("let a task go on"), CHANGING),
    TaskAct.CANCEL.command: (_("cancelled a task"), CHANGING),
    TaskAct.FINISH.command: (_("a task finished"), CHANGING),
    TaskAct.STOP.command: (_("a task stopped itself"), CHANGING),
    "note": (_("wrote a note about failures"), NOTING),
    "enrolment-ask": (_("asked to let a body in"), ENROLLING),
    "enrolment-approve": (_("let a body in"), ENROLLING),
    "enrolment-refuse": (_("refused to let a body in"), ENROLLING),
    "account-add": (_("entered an account"), KEEPING),
    "account-password": (_("gave an account another password"), KEEPING),
    "account-lock": (_("locked an account"), KEEPING),
    "account-unlock": (_("let an account in again"), KEEPING),
    "token-add": (_("gave a program a token"), KEEPING),
}

OWN_CHECKS: Mapping[str, str] = {
    AuditKind.VERIFY.action: _("verified the archive's log on a machine of their own"),
    AuditKind.REPLAY.action: _("replayed the journal on a machine of their own"),
    AuditKind.PROVE.action: _("proved entries on a machine of their own"),
    AuditKind.COMPARE.action: _("compared checkpoints on a machine of their own"),
    AuditKind.TIMES.action: _("checked time-stamps on a machine of their own"),
    AuditKind.EXPORT.action: _("took a letter's signature on a machine of their own"),
    AuditKind.EVIDENCE.action: _("took a letter's evidence on a machine of their own"),
}
"""What auditors say of commands; of each an outcome follows."""
_OUTCOME = _("told what came of it")
_OUTCOMES = frozenset(kind.result for kind in AuditKind)

VERDICTS: Mapping[str, Label] = {
    "running": Label(_("Running"), "again", Tone.ACTIVE, _("The journal is being read.")),
    "sound": Label(_("Everything holds"), "check", Tone.GOOD, _("Nothing was found.")),
    "found": Label(_("Something was found"), "alert", Tone.BAD, _("Have the journal examined: see the findings.")),
    "broken-off": Label(_("Broken off"), "alert", Tone.WARN, _("The check did not come to its end.")),
}

KINDS: Mapping[str, str] = {
    "letter": _("a letter"),
    "receipt": _("a receipt"),
    "open": _("an origin is opened"),
    "void": _("a number is given up"),
    "deadline": _("a deadline has passed"),
    "command": _("an act of a person"),
    "basis": _("directory and policy"),
    "tick": _("how far a lane has come"),
    "statement": _("a statement that cannot be read"),
    "": _("no record of the journal"),
}
"""What stands at a place of the journal."""


def finding_text(code: FindingCode | TreeCode) -> str:
    """What is wrong, in words."""
    return text_of(code)


def action_text(action: str) -> str:
    """How an act is called."""
    if action in _OUTCOMES:
        return _OUTCOME
    return ACTIONS[action][0] if action in ACTIONS else OWN_CHECKS.get(action, action)


def action_label(action: str) -> Label:
    """Which kind of act it is."""
    if action in OWN_CHECKS or action in _OUTCOMES:
        return CHECKING
    return ACTIONS[action][1] if action in ACTIONS else Label(action)


def choices() -> list[tuple[str, str]]:
    """Acts to filter by."""
    return [*((action, text) for action, (text, _label) in ACTIONS.items()), *OWN_CHECKS.items()]


def is_of_task(action: str) -> bool:
    """Whether an act is part of a task that has a page."""
    return action_label(action) is CHANGING
