"""Filling stores, and freezing them."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from exchange.domain.deadline import NO_TERMS, Terms
from exchange.domain.delivery import State
from exchange.domain.ids import digest
from exchange.embedded import EmbeddedPostgres
from exchange.journal.facts import JournalRecord, read_fact
from exchange.store import schema
from exchange.store.archive import Archive, Block
from exchange.store.database import Store
from exchange.store.rows import FlagRow, PositionRow
from exchange.store.writer import Taken
from tests.world import World

TOPIC = "exchange.journal"


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        with Store(f"sqlite:///{folder}/tracker.db") as store:
            store.migrate()
        return (Path(folder) / "tracker.db").read_bytes()


def empty_store(file: Path) -> Store:
    """A store in a file, migrated, with nothing in it: migrating each would take longer than most tests."""
    file.write_bytes(_migrated())
    return Store(f"sqlite:///{file}")


def reached(records: Sequence[JournalRecord]) -> list[PositionRow]:
    """The positions behind `records`."""
    last = {record.position.partition: record for record in records}
    return [
        PositionRow(TOPIC, partition, record.position.offset, digest(record.value))
        for partition, record in last.items()
    ]


def take(store: Store, records: Sequence[JournalRecord], terms: Terms = NO_TERMS) -> Taken:
    """One batch."""
    return store.take([read_fact(record) for record in records], reached(records), terms=terms)


def fill(store: Store, records: Sequence[JournalRecord], batch: int = 1_000, terms: Terms = NO_TERMS) -> None:
    """All records in batches."""
    for start in range(0, len(records), batch):
        take(store, records[start : start + batch], terms)


def counts(connection: sa.Connection) -> dict[State, int]:
    """How many deliveries are in each state that any is in."""
    states = schema.deliveries.c.state
    query = sa.select(states, sa.func.count()).group_by(states)
    return {State(state): number for state, number in connection.execute(query)}


def flags(connection: sa.Connection) -> list[FlagRow]:
    """All records that stand out."""
    return [FlagRow(*row) for row in connection.execute(sa.select(schema.flags))]


def blocks(archive: Archive, name: str) -> Iterator[Block]:
    """The whole blocks of an archive file from its beginning."""
    at = 0
    while (block := archive.block(name, at)) is not None:
        yield block
        at = block.end


def terms_of(world: World) -> Terms:
    """The deadlines on which the world's decisions stand."""
    return Terms(world.policy.deadlines, world.directory.bodies)


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    """Every process of the server stands still, as on a machine that hangs; its connections stay open."""
    main = server._find()
    assert main is not None
    with ExitStack() as stack:
        stack.enter_context(closing(main))
        main.send(signal.SIGSTOP)
        main.wait_frozen()  # now it starts nobody any more
        every = [main, *(stack.enter_context(closing(child)) for child in main.children())]
        for process in every:
            process.send(signal.SIGSTOP)
            process.wait_frozen()
        try:
            yield
        finally:
            for process in every:
                process.send(signal.SIGCONT)
