"""What is done to the console's accounts on its own machine: kept in the journal as what people do in it."""

import asyncio
import os
import pwd

from exchange import system
from exchange.cli.output import Output
from exchange.console.auth.acts import Act
from exchange.console.auth.spoken import SpokenActs
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.security.errors import DirectoryRefused
from exchange.settings.console import ConsoleSettings
from exchange.wiring.speaking import open_speaker


def at_the_machine() -> str:
    """Who runs the command, by the account of the machine: `shell:root`; no sign-in of the console has a colon."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"shell:{name}"


def keep(settings: ConsoleSettings, action: str, detail: str, output: Output) -> None:
    """Keep what was done to the console itself: see `keep_act`."""
    keep_act(settings, Act(action, at_the_machine(), detail=detail), output)


def keep_act(settings: ConsoleSettings, act: Act, output: Output) -> None:
    """Keep an act in the console's spool, from where a running console says it to the journal.

    Where nobody can sign in yet, for the console cannot speak, that is told beside the result.

    Raises:
        AccessRefused: `act-not-kept`; what was to be done must not be done.
        ConfigurationError, SpoolError: as `open_speaker`.
    """
    if settings.speaking is None:
        output.note("This does not stand in the journal: the console's file has no \\[speaking].")
        return
    try:
        with open_speaker(CONSOLE_BODY, settings.speaking, settings.kafka, settings.directory) as speaker:
            asyncio.run(SpokenActs(speaker, system.random_id).record(act))
    except DirectoryRefused as error:
        if error.code != "directory-missing":
            raise
        output.note("This does not stand in the journal: the console was never started, so it has no directory yet.")
