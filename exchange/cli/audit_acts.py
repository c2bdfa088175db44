"""An auditor's commands as acts of the journal: each is said before it begins, and what came of it at its end.

An auditor's principal may write to no topic: the console's body says it, in the name of the token's owner. What cannot
be kept is not begun. Without a console, or by --not-journalled, the output says that nothing is kept.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from msgspec.structs import replace

from exchange import system
from exchange.cli.console_api import ConsoleProblem, remote_api
from exchange.cli.output import Output, shown
from exchange.console.api import ROOT
from exchange.console.api.audits_model import TEXT_CHARACTERS, AuditKind, AuditSaid, AuditTold
from exchange.domain.errors import ConfigurationError, ExchangeError
from exchange.services.audit.findings import concluded
from exchange.settings import AuditorSettings
from exchange.settings.console_access import ConsoleAccess

_KEY_BYTES = 16


def _reason(reason: str) -> str:
    if len(reason) > TEXT_CHARACTERS:
        message = f"at most {TEXT_CHARACTERS} characters"
        raise typer.BadParameter(message)
    return reason


Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the journal.", callback=_reason)]
NotJournalled = Annotated[
    bool, typer.Option("--not-journalled", help="Work off line on a copy: this act is not kept in the journal.")
]


class Outcome:
    """What came of an act; told when it ends."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._words = "broken off"

    @property
    def words(self) -> str:
        """For the journal."""
        return self._words[:TEXT_CHARACTERS]

    def found(self, words: str, *, sound: bool) -> None:
        """A check came to its end."""
        self._words = concluded(words, sound=sound)

    def made(self, words: str) -> None:
        """Something was taken along."""
        self._words = words

    def ended_by(self, error: ExchangeError) -> None:
        """An error of ours ended it."""
        self._words = f"broken off, {error.code}"


@contextmanager
def journalled(settings: AuditorSettings, said: AuditSaid, output: Output, *, skip: bool = False) -> Iterator[Outcome]:
    """Keep that an act begins, let it be done, and keep what came of it.

    Args:
        settings: the auditor's, which may name a console.
        said: what is to be done; made by `about_to`.
        output: tells what is kept, beside the result.
        skip: whether the auditor wants nothing kept.

    Raises:
        ExchangeError: `audit-not-journalled`: it cannot be kept, so it must not begin.
    """
    outcome = Outcome()
    access = settings.console
    if skip or access is None:
        output.note(_unkept(skip=skip))
        yield outcome
        return
    try:
        told = asyncio.run(_say(access, said))
    except ExchangeError as error:
        raise _refused(error) from error
    output.note(f"In the journal as {told.action} by {shown(told.person)}, task {told.task}.")
    try:
        yield outcome
    except ExchangeError as error:
        outcome.ended_by(error)
        raise
    finally:
        _end(access, replace(said, outcome=outcome.words), output)


def about_to(kind: AuditKind, scope: str, reason: str, letter: bytes | None = None) -> AuditSaid:
    """What an auditor is about to do; texts too long for the journal are cut."""
    key = system.random_bytes(_KEY_BYTES).hex()
    named = None if letter is None else letter.hex()
    return AuditSaid(key=key, kind=kind, scope=scope[:TEXT_CHARACTERS], reason=reason, letter=named)


def _end(access: ConsoleAccess, said: AuditSaid, output: Output) -> None:
    """Tell the outcome; the work is done and its result stays, whether that is kept or not."""
    try:
        asyncio.run(_say(access, said))
    except ExchangeError as error:
        output.note(f"[yellow]The outcome is not in the journal[/]: {shown(str(error))} ({error.code})")


async def _say(access: ConsoleAccess, said: AuditSaid) -> AuditTold:
    async with remote_api(access) as api:
        return await api.post(f"{ROOT}/audits", AuditTold, said)


def _unkept(*, skip: bool) -> str:
    if skip:
        return "[yellow]This act is not in the journal[/]: --not-journalled."
    how = "name a console in the auditor's file, \\[console] with url and token (docs/auditor.md)"
    return f"[yellow]This act is not in the journal[/]: to have it kept, {how}."


def _refused(error: ExchangeError) -> ExchangeError:
    """Not begun: for want of a console that answers, or of one that lets this person."""
    message = f"this act cannot be kept in the journal: {error} ({error.code}); or on a copy off line, --not-journalled"
    if error.retriable:
        return ConsoleProblem(message, code="audit-not-journalled", retriable=True)
    return ConfigurationError(message, code="audit-not-journalled")
