"""The console's process."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlunsplit

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.agent.history import TrustHistory
from exchange.bus.picking import open_picker
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import JOURNAL
from exchange.console.app import create_app
from exchange.console.auth.acts import Acts, Unkept
from exchange.console.auth.door import Door
from exchange.console.auth.entrance import machines
from exchange.console.auth.oidc import Provider, open_provider
from exchange.console.auth.passwords import Passwords
from exchange.console.auth.people import People
from exchange.console.auth.spoken import SpokenActs
from exchange.console.auth.tokens import ConsoleTokens
from exchange.console.checking import Checker, VerifyLog
from exchange.console.checks import Checks
from exchange.console.contents import Contents
from exchange.console.desk import Desk, Site
from exchange.console.evidence.packing import Packer, Packing
from exchange.console.evidence.stamping import stamp_by
from exchange.console.proxies import behind
from exchange.console.seals import Seal
from exchange.console.stream.hub import Hub, StoreReader
from exchange.console.verifications import Verifications
from exchange.domain.directory import Directory
from exchange.domain.errors import ExchangeError
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.security.directory.folder import DirectoryFolder, read_root
from exchange.security.log_keys import read_log_policy
from exchange.services.audit.crew import check_here
from exchange.services.audit.findings import Verified
from exchange.services.audit.material import Opening
from exchange.services.audit.service import verify
from exchange.services.http.listening import Address, listening, serve
from exchange.services.http.renewing import renewed_tls
from exchange.services.process import process_registry
from exchange.services.replay import Progress
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.services.speaking import Speaker
from exchange.services.tasks.office import TaskOffice
from exchange.settings.console import ConsoleSettings, Served
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore
from exchange.wiring.directory import followed
from exchange.wiring.speaking import open_speaker, signer_of
from exchange.wiring.standing import standing_in
from exchange.wiring.tasks import task_runner

DIRECTORY_SECONDS = 5.0
CONNECTIONS = 1024
"""Each open tab holds one."""
FETCH_SECONDS = 0.5
ANSWER_SECONDS = 10
"""What a page asks the database takes milliseconds."""

log = logging.getLogger(__name__)


async def run_console(settings: ConsoleSettings) -> None:
    """Serve the console until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: certificates, keys, the directory or the address cannot be used.
        StoreError: a database's URL is wrong, or the desk's cannot be migrated.
        SpoolError: what was said cannot be read.
    """
    certificates = {("transport", ""): settings.kafka.certificate}
    if settings.served.files is not None:
        certificates["console", ""] = settings.served.files.certificate
    registry = process_registry(certificates, folders={})
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    async with followed(settings.directory, settings.kafka, registry), AsyncExitStack() as stack:
        await _serve(settings, stack, registry)


async def _serve(settings: ConsoleSettings, stack: AsyncExitStack, registry: CollectorRegistry) -> None:
    history = TrustHistory(DirectoryFolder.at(settings.directory.folder, settings.directory.root))
    served = settings.served
    address = Address(served.host, served.port, served.files, table="console")
    store = stack.enter_context(Store(settings.store, ANSWER_SECONDS))
    own = stack.enter_context(DeskStore(settings.desk, ANSWER_SECONDS))
    own.migrate()
    hub = Hub(StoreReader(store), system.now, registry)
    speaker = _speaker(settings, stack)
    provider = await _provider(settings, stack)
    listener = stack.enter_context(listening(address))
    acts = Unkept() if speaker is None else SpokenActs(speaker, system.random_id)
    site = site_of(served, listener)
    door = Door(own, Passwords(), acts, system.now, system.random_bytes)
    desk = Desk(
        store=store,
        directory=lambda: history.directory,
        now=system.now,
        new_id=system.random_id,
        identify=machines(ConsoleTokens(served.tokens)),
        site=site,
        hub=hub,
        people=People(door, site.url, system.random_bytes, provider),
        own=own,
        acts=acts,
        contents=Contents(partial(open_picker, settings.kafka, JOURNAL)),
        tasks=None if speaker is None else TaskOffice(own, store, system.now),
        seal=_seal(settings, lambda: history.directory),
        checks=_checks(settings, store, acts),
        packer=_packer(settings),
        standing=standing_in(settings.log),
    )
    app = behind(served.proxies, create_app(desk, registry))
    context = await stack.enter_async_context(renewed_tls(address))
    serving = serve(app, listener, context, hub.end, CONNECTIONS)
    work = [_renew(history), hub.run(), serving, Verifications(store, registry).run()]
    if desk.checks is not None:
        work.append(desk.checks.run())
    if speaker is not None:
        work += [speaker.run(), task_runner(own, store, speaker, settings.kafka, registry, _folder(settings)).run()]
    with observed(registry, lambda: hub.waiting_for, settings.observe.host, settings.observe.port):
        async with changes_told("console", lambda: hub.waiting_for):
            await until_signalled(_together(work))


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(each)


def _speaker(settings: ConsoleSettings, stack: AsyncExitStack) -> Speaker | None:
    """Who says what people do; without one nobody can do anything that must be kept."""
    if settings.speaking is None:
        log.warning("there is no [speaking] in the configuration: nobody can sign in, for that must be kept")
        return None
    return stack.enter_context(open_speaker(CONSOLE_BODY, settings.speaking, settings.kafka, settings.directory))


def _seal(settings: ConsoleSettings, directory: Callable[[], Directory]) -> Seal | None:
    """Who signs what leaves as evidence: the same key as what people do."""
    if settings.speaking is None:
        return None
    return Seal(partial(signer_of, settings.speaking.statement), directory, system.now)


def _checks(settings: ConsoleSettings, store: Store, acts: Acts) -> Checks | None:
    """Who checks the journal; nobody where that could not be kept."""
    if settings.speaking is None:
        return None
    checker = Checker(
        partial(PositionedReader, settings.kafka, fetch_wait_seconds=FETCH_SECONDS),
        partial(open_picker, settings.kafka, JOURNAL),
        partial(DirectoryFolder.at, settings.directory.folder, settings.directory.root),
        store,
        _verify_log(settings),
    )
    return Checks(checker, acts, system.now, system.random_id)


def _folder(settings: ConsoleSettings) -> Path | None:
    """The archive's, where it is at hand."""
    return settings.log.place if settings.log is not None and isinstance(settings.log.place, Path) else None


def _verify_log(settings: ConsoleSettings) -> VerifyLog | None:
    """Verifies the archive's log by the console's copies of root and policy; nobody where its folder is not at hand."""
    folder = _folder(settings)
    if folder is None or settings.log is None:
        return None
    directory, file = settings.directory, settings.log.policy

    def verify_since(since: datetime, tell: Progress) -> Verified:
        """In one process, this one."""
        opening = Opening(folder, directory.folder, read_root(directory.root))
        return verify(opening, read_log_policy(file), check_here(opening), since=since, on_progress=tell)

    return verify_since


def _packer(settings: ConsoleSettings) -> Packer | None:
    """Who makes packages of evidence; nobody where no archive's folder is at hand."""
    folder = _folder(settings)
    if settings.log is None or folder is None:
        return None
    stamp = None if settings.timestamps is None else stamp_by(settings.timestamps)
    directory = partial(DirectoryFolder.at, settings.directory.folder, settings.directory.root)
    return Packer(Packing(folder, settings.log.policy, directory, stamp))


async def _provider(settings: ConsoleSettings, stack: AsyncExitStack) -> Provider | None:
    """The identity provider of the settings."""
    if settings.oidc is None:
        return None
    return await stack.enter_async_context(open_provider(settings.oidc, system.now))


async def _renew(history: TrustHistory) -> None:
    """Keep the directory that pages name bodies by new."""
    while True:
        await asyncio.sleep(DIRECTORY_SECONDS)
        try:
            await asyncio.to_thread(history.refresh)
        except ExchangeError as error:
            log.warning("the directory stays as it was: %s: %s", error.code, error)


def site_of(served: Served, listener: socket.socket) -> Site:
    """How browsers reach a console: as the settings say, else where it listens."""
    if served.public_url:
        return Site(served.public_url)
    host = f"[{served.host}]" if ":" in served.host else served.host
    scheme = "http" if served.files is None else "https"
    return Site(urlunsplit((scheme, f"{host}:{listener.getsockname()[1]}", "", "", "")))
