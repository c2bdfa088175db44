"""What is done on the machine of a service: kept in the journal, said by the service's own body."""

import asyncio
import os
import pwd
from typing import Protocol

from exchange import system
from exchange.bus.connection import KafkaSettings
from exchange.cli.output import Output
from exchange.console.auth.acts import Act
from exchange.console.auth.spoken import SpokenActs
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.security.errors import DirectoryRefused
from exchange.settings.speaking import SpeakingSettings
from exchange.settings.tables import DirectorySettings
from exchange.wiring.speaking import open_speaker


def at_the_machine() -> str:
    """Who runs the command, by the account of the machine: `shell:root`; no sign-in of the console has a colon."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"shell:{name}"


class Speaks(Protocol):
    """What is asked of the settings of a service that speaks."""

    @property
    def speaking(self) -> SpeakingSettings | None:
        """None: it says nothing."""
        ...

    @property
    def kafka(self) -> KafkaSettings:
        """As the service's principal."""
        ...

    @property
    def directory(self) -> DirectorySettings:
        """Its copy."""
        ...


def keep(settings: Speaks, action: str, detail: str, output: Output) -> None:
    """Keep what was done to the console itself: see `keep_act`."""
    keep_act(CONSOLE_BODY, settings, Act(action, at_the_machine(), detail=detail), output)


def keep_act(body: str, settings: Speaks, act: Act, output: Output) -> None:
    """Keep an act in a service's spool, from where its process says it to the journal, once, now or when it runs again.

    Where the service cannot speak, that is told beside the result.

    Raises:
        AccessRefused: `act-not-kept`; what was to be done must not be done.
        ConfigurationError, SpoolError: as `open_speaker`.
    """
    if settings.speaking is None:
        output.note(f"This does not stand in the journal: the file of {body}'s process has no \\[speaking].")
        return
    try:
        with open_speaker(body, settings.speaking, settings.kafka, settings.directory) as speaker:
            asyncio.run(SpokenActs(speaker, system.random_id).record(act))
    except DirectoryRefused as error:
        if error.code != "directory-missing":
            raise
        output.note(
            f"This does not stand in the journal: {body}'s process was never started: there is no directory yet."
        )
