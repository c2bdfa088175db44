"""`exchange body renew`: the next keys of a body, from request to use, without stopping its agent."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console
from rich.table import Table

from exchange import system
from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import inbox
from exchange.cli.output import Json, Output, shown
from exchange.domain.directory import CertificateUse, Directory
from exchange.security.keys import KeyFiles, load_certificate
from exchange.security.purpose import Purpose
from exchange.security.renewal import Stage, finish, prepare_next, request_file
from exchange.security.validity import Validity
from exchange.settings.agent import AgentSettings, agent_settings
from exchange.wiring.directory import latest_directory

_AFTER = "have the certificate before it revoked in the directory"


@dataclass(frozen=True, slots=True)
class Renewed:
    """Where one pair stands.

    Attributes:
        use: `statement` or `transport`.
        body: whose; empty for the agent's own connection.
        stage: `requested`, `awaited`, `ready`, `listed` or `finished`.
        next_step: what a person does now.
        done: whether the command did what it was asked to.
    """

    use: str
    body: str
    stage: str
    next_step: str
    done: bool = True


def renew(
    *,
    config: Annotated[Path, typer.Option("--config", help="The agent's configuration.")],
    finishing: Annotated[
        bool, typer.Option("--finish", help="Put next pairs that count into the place of the present ones.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the next keys of an agent and requests for their certificates, and say how far each has come.

    Nothing stops meanwhile: the agent signs with a next key once the directory has listed its certificate for a
    minute. Exit code 1 when --finish could not finish all.
    """
    settings = agent_settings(config, os.environ)
    directory = latest_directory(settings.directory)
    pairs = list(_pairs(settings, directory, finishing=finishing))
    done = all(pair.done for pair in pairs)
    Output(as_json=json).verdict(pairs, lambda console: _render(pairs, console), ok=done)


def _pairs(settings: AgentSettings, directory: Directory, *, finishing: bool) -> Iterator[Renewed]:
    carried = settings.carried(directory)
    for body in carried:
        stage = prepare_next(body.statement, Purpose.STATEMENT)
        counts = stage is Stage.READY and _is_listed(body.statement.next, directory, body.code)
        if counts and finishing:
            finish(body.statement)
            yield Renewed("statement", body.code, Stage.FINISHED.value, _AFTER)
        elif counts:
            yield Renewed("statement", body.code, "listed", "the agent uses it by itself; then run this with --finish")
        else:
            step = _step(stage, body.statement, "have its certificate listed in the directory")
            yield Renewed("statement", body.code, stage.value, step, done=stage is Stage.FINISHED or not finishing)
    yield _transport(settings, carried[0].code, finishing=finishing)


def _transport(settings: AgentSettings, body: str, *, finishing: bool) -> Renewed:
    """A broker knows a certificate by its root and its name, so whether it counts is found out by connecting."""
    files = settings.kafka.files
    stage = prepare_next(files, Purpose.CLIENT)
    if stage is not Stage.READY or not finishing:
        step = _step(stage, files, "run this with --finish, which tries it with the brokers first")
        return Renewed("transport", "", stage.value, step, done=stage is Stage.FINISHED or not finishing)
    following = replace(settings.kafka, key=files.next.key, certificate=files.next.certificate)
    asyncio.run(_connect(following, body))
    finish(files)
    return Renewed("transport", "", Stage.FINISHED.value, "nothing: it is used from the next connection on")


async def _connect(kafka: KafkaSettings, body: str) -> None:
    async with PositionedReader(kafka, {(inbox(body), 0): None}):
        pass


def _step(stage: Stage, files: KeyFiles, when_ready: str) -> str:
    if stage is Stage.READY:
        return when_ready
    if stage is Stage.FINISHED:
        return _AFTER
    return f"have {request_file(files)} certified, and put the certificate at {files.next.certificate}"


def _is_listed(files: KeyFiles, directory: Directory, code: str) -> bool:
    certificate = load_certificate(files.certificate)
    der, now = certificate.public_bytes(Encoding.DER), system.now()
    body = directory.bodies.get(code)
    listed = [each for each in body.certificates if each.use is CertificateUse.STATEMENT] if body else []
    counts = any(each.der == der and (each.revoked is None or each.revoked > now) for each in listed)
    return counts and Validity.of(certificate).covers(now)


def _render(pairs: Sequence[Renewed], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("key", "body", "stage", "next step"):
        table.add_column(heading)
    for pair in pairs:
        table.add_row(pair.use, pair.body, pair.stage, shown(pair.next_step))
    console.print(table)
