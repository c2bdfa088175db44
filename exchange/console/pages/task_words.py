"""What tasks, their items and acts are called for people; English, messages of the catalogs."""

from collections.abc import Mapping

from exchange.console.pages.wording import Label, Tone, _
from exchange.domain.task import ItemState, Stage, TaskAct, TaskState

STATES: Mapping[TaskState, Label] = {
    TaskState.PREVIEWED: Label(_("Previewed"), "search", Tone.QUIET, _("Nothing was set going yet.")),
    TaskState.WAITING: Label(
        _("Waits for approval"), "person", Tone.WARN, _("So many letters need a second person's word.")
    ),
    TaskState.RUNNING: Label(_("Running"), "again", Tone.ACTIVE, _("Letters are being redelivered.")),
    TaskState.PAUSED: Label(_("Paused"), "pause", Tone.WARN, _("Nothing more is said until somebody goes on.")),
    TaskState.DONE: Label(_("Done"), "check", Tone.GOOD, _("Every letter of it was said.")),
    TaskState.CANCELLED: Label(_("Cancelled"), "cross", Tone.QUIET, _("What was said stays said; the rest was not.")),
    TaskState.FAILED: Label(_("Stopped itself"), "alert", Tone.BAD, _("Too many of its letters failed again.")),
}

ITEMS: Mapping[ItemState, Label] = {
    ItemState.WAITING: Label(_("Not said yet"), "", Tone.QUIET),
    ItemState.SAID: Label(_("Said"), "", Tone.QUIET, _("On its way to the exchange.")),
    ItemState.TAKEN: Label(_("Taken"), "inbox", Tone.ACTIVE, _("It lies in the recipient's inbox once more.")),
    ItemState.DELIVERED: Label(_("Delivered again"), "down", Tone.ACTIVE, _("The recipient's agent took it.")),
    ItemState.FAILED: Label(
        _("Failed again"), "alert", Tone.BAD, _("The recipient's document system did not take it.")
    ),
    ItemState.HANDED_OVER: Label(
        _("Handed over"), "system", Tone.GOOD, _("The recipient's document system has it, anew or as a known repeat.")
    ),
    ItemState.REFUSED: Label(_("Not possible"), "cross", Tone.BAD, _("The exchange did not take the command.")),
}

STAGES: Mapping[Stage, str] = {Stage.SAMPLE: _("the sample"), Stage.SHARE: _("the share"), Stage.REST: _("all others")}

ACTS: Mapping[TaskAct, str] = {
    TaskAct.SUBMIT: _("asked a second person"),
    TaskAct.START: _("started it"),
    TaskAct.APPROVE: _("approved it"),
    TaskAct.PAUSE: _("paused it"),
    TaskAct.RESUME: _("let it go on"),
    TaskAct.CANCEL: _("cancelled it"),
    TaskAct.FINISH: _("finished by itself"),
    TaskAct.STOP: _("stopped itself"),
}

NOTES: Mapping[str, str] = {
    "repeat-recognised": _("its agent still had it and recognised the repeat"),
    "moved-on": _("handed over by itself before its turn: nothing was said"),
    "redrive-record-missing": _("the journal has no record where the tracker saw the letter"),
    "redrive-record-altered": _("the journal's record is not the letter that the tracker saw"),
    "redrive-content-gone": _("what people wrote in it was lawfully deleted"),
    "task-sample-failed": _("a letter of the sample failed again"),
    "task-failing": _("more than a tenth of the results were failures"),
}
"""Codes beside items and tasks that no letter has."""

STEPS: Mapping[str, str] = {
    "redrive-record-missing": _("see that the console's file names the archive, then make a new task."),
    "redrive-record-altered": _("tell an auditor now: the journal must be verified."),
    "redrive-content-gone": _("ask its sender to send it anew."),
    "task-sample-failed": _("open the letter that failed, have its cause mended, then make a new task."),
    "task-failing": _("see what the failed letters have in common, have it mended, then make a new task."),
}
"""What to do next, of those codes that somebody must do something about."""

FAULTS: Mapping[str, str] = {
    "task-invalid": _("A field is missing or out of its bounds: correct it."),
    "task-empty": _("No delivery that could be redelivered matches any more: look at the list again."),
    "task-too-large": _("More deliveries match than one task may have: narrow the filter."),
    "task-act-impossible": _("Somebody was faster: look what the task is now."),
    "task-overlaps": _("Another task that is under way has some of these letters: let it end or cancel it first."),
    "task-second-person": _("You made this task yourself: another person must approve it."),
    "task-right-missing": _("Your role may look at tasks, but not set any going."),
}
"""What a form is answered with, by code."""


def item(state: str) -> Label:
    """How an item's state is called and marked."""
    return ITEMS[ItemState(state)]
