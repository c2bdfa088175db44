"""The archive's process."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from exchange import system
from exchange.archive.anew import Beginning, begin_anew, read_after
from exchange.archive.index import Index
from exchange.archive.layout import CHECKPOINT_FILE
from exchange.archive.writer import ArchiveWriter
from exchange.bus.access import ARCHIVE_TRANSACTIONS
from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader
from exchange.bus.transactions import SoleWriter
from exchange.domain.directory import Directory
from exchange.domain.own_bodies import ARCHIVE_BODY
from exchange.security.files import write_atomically
from exchange.security.log_keys import load_log_key, read_log_policy
from exchange.services.archive.checkpoints import Checkpoints
from exchange.services.archive.disk import Disk
from exchange.services.archive.metrics import ArchiveMetrics
from exchange.services.archive.proofs import OriginProofs
from exchange.services.archive.renewing import Renewing
from exchange.services.archive.serving import log_app
from exchange.services.archive.stamping import Stamping
from exchange.services.archive.standing import Identity, last_witnessed, log_name, require_key
from exchange.services.archive.taking import Taking
from exchange.services.archive.topic import Topic, read_published
from exchange.services.http.listening import Address, listening, serve
from exchange.services.http.renewing import renewed_tls
from exchange.services.process import process_registry
from exchange.services.reading import look_for_garbage_rarely
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.services.witnessing import open_witnesses
from exchange.settings.archive import ArchiveServiceSettings, ServeSettings
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Kind, Verifier
from exchange.wiring.directory import followed, latest_directory
from exchange.wiring.publication import publication_of
from exchange.wiring.speaking import open_speaker
from exchange.wiring.timestamps import open_timestamps

if TYPE_CHECKING:
    from exchange.services.archive.publication import Publication

Run = Callable[[], Coroutine[Any, Any, None]]
"""A part of the process: runs until it is cancelled."""


async def run_archive(settings: ArchiveServiceSettings) -> None:
    """Put the journal into the log and publish checkpoints until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: certificates, keys, the directory or the log's policy cannot be used.
        ArchiveError: the folder is in use, or not what was written to it.
        PositionLost, JournalIncomplete: see `Taking.run`.
        LogRefused: `log-rolled-back`, `log-forked`: see `Checkpoints.run`.
    """
    registry = process_registry({("transport", ""): settings.kafka.certificate}, {("archive", ""): settings.folder})
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    async with followed(settings.directory, settings.kafka, registry):
        installed = latest_directory(settings.directory)
        identity = log_identity(settings, installed)
        async with AsyncExitStack() as stack:
            witnesses = await stack.enter_async_context(open_witnesses(identity.policy, registry, system.monotonic))
            writer = ArchiveWriter(settings.folder, installed.journal_partitions, identity.after)
            disk, metrics = Disk(stack.enter_context(writer)), ArchiveMetrics(registry)
            proofs = OriginProofs(stack.enter_context(Index(settings.folder)), disk.logs)
            taking = Taking(partial(PositionedReader, settings.kafka), disk, metrics, system.now)
            checkpoints = Checkpoints(
                identity, taking, disk, proofs, witnesses, topic(settings.kafka), metrics, system.now
            )
            beside: list[Run] = [each.run for each in await _timestamps(settings, stack, registry, checkpoints)]
            if settings.speaking is not None:
                speaker = open_speaker(ARCHIVE_BODY, settings.speaking, settings.kafka, settings.directory)
                beside.append(stack.enter_context(speaker).run)
            if settings.serve is not None:
                beside.append(partial(_serve, settings.folder, settings.serve))
            publication = None
            if settings.publish is not None:
                publication = publication_of(settings.publish, settings.folder, registry)
                beside.append(publication.run)
            look_for_garbage_rarely()
            await _run(settings, registry, taking, checkpoints, beside, publication)


def log_identity(settings: ArchiveServiceSettings, installed: Directory) -> Identity:
    """Key and policy of this exchange's log.

    Raises:
        KeyRefused: the key cannot be used.
        ConfigurationError: nor can the policy, or it knows the log by another key.
    """
    after = read_after(settings.folder)
    name = log_name(installed.exchange, after)
    signer = load_log_key(settings.log.key, name, Kind.NOTE, settings.log.passphrase)
    identity = Identity(signer, read_log_policy(settings.log.policy), after)
    require_key(identity)
    return identity


def topic(kafka: KafkaSettings) -> Topic:
    """Where checkpoints are published; whoever opens its writer fences all others."""
    return Topic(partial(PositionedReader, kafka), partial(SoleWriter, kafka, f"{ARCHIVE_TRANSACTIONS}0"))


def begin_new_log(
    settings: ArchiveServiceSettings, begun: Beginning, given: bytes | None, keep: Callable[[Checkpoint], None]
) -> tuple[Verifier, Checkpoint]:
    """Begin a new log behind the one that is lost; the policy's line of the log is written anew.

    Args:
        settings: of the archive, whose process has ended; its policy is the old log's.
        begun: who does it, when and why.
        given: the old log's last witnessed checkpoint, None: what Kafka or the folder has.
        keep: told what the new log will go on for, before anything is changed.

    Returns:
        The new log's key, and what it goes on for.

    Raises:
        LogRefused: `log-unwitnessed`; a checkpoint is not the old log's.
        ArchiveError: `archive-in-use`; the folder cannot be written.
        ConfigurationError, KeyRefused, BusError: as `run_archive`.
    """
    installed = latest_directory(settings.directory)
    policy = read_log_policy(settings.log.policy)
    note, seen = last_witnessed(_known_notes(settings) if given is None else [given], policy)
    name = log_name(installed.exchange, seen.checkpoint)
    signer = load_log_key(settings.log.key, name, Kind.NOTE, settings.log.passphrase)
    keep(seen.checkpoint)
    begin_anew(settings.folder, installed.journal_partitions, note, begun)
    text = settings.log.policy.read_text(encoding="utf-8").replace(str(policy.log), str(signer.verifier))
    write_atomically(settings.log.policy, text.encode())
    return signer.verifier, seen.checkpoint


def _known_notes(settings: ArchiveServiceSettings) -> list[bytes]:
    """Checkpoints of the old log, out of Kafka and the folder."""
    published = asyncio.run(read_published(topic(settings.kafka).open_reader)).checkpoint
    kept = settings.folder / CHECKPOINT_FILE
    return [*([] if published is None else [published.note]), *([kept.read_bytes()] if kept.exists() else [])]


async def _timestamps(
    settings: ArchiveServiceSettings, stack: AsyncExitStack, registry: CollectorRegistry, checkpoints: Checkpoints
) -> tuple[Stamping, Renewing] | tuple[()]:
    """What has checkpoints stamped, and keeps that provable; nothing where no authority is named."""

    def newest() -> bytes | None:
        said = checkpoints.newest
        return None if said is None else said.note

    if settings.timestamps is None:
        return ()
    return await stack.enter_async_context(open_timestamps(settings.timestamps, settings.folder, registry, newest))


async def _run(
    settings: ArchiveServiceSettings,
    registry: CollectorRegistry,
    taking: Taking,
    checkpoints: Checkpoints,
    beside: Sequence[Run],
    publication: "Publication | None",
) -> None:
    def waiting_for() -> str:
        return taking.waiting_for or checkpoints.waiting_for

    def behind() -> str:
        return "" if publication is None else publication.waiting_for

    with observed(registry, waiting_for, settings.observe.host, settings.observe.port, behind):
        async with changes_told("archive", waiting_for):
            await until_signalled(_work([taking.run, checkpoints.run, *beside]))


async def _work(parts: Sequence[Run]) -> None:
    async with asyncio.TaskGroup() as group:
        for run in parts:
            group.create_task(run())


async def _serve(folder: Path, settings: ServeSettings) -> None:
    """Hand the logs out."""
    address = Address(settings.host, settings.port, settings.files, settings.client_ca, table="serve")
    with listening(address) as listener:
        async with renewed_tls(address) as context:
            await serve(log_app(folder, with_entries=settings.entries), listener, context, _nothing_waits)


def _nothing_waits() -> None:
    """No answer waits for anything but its own work."""
