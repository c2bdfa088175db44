"""Ten million deliveries of two years in a real PostgreSQL, for benches and for looking at plans.

    EXCHANGE_BENCH_DATABASE=/var/tmp/ten-million python -m bench deliveries

fills a database in that folder, once, and `python -m bench pages` measures on it. EXCHANGE_BENCH_DELIVERIES says how
many. Without a folder `pages` makes one of its own and removes it.

Four weeks of facts go through the tracker's own writer, so every row is what the fold makes of them: two whole weeks,
and the last two up to now, in which letters are still on their way. The two whole ones are then copied back by two
weeks, again and again, within the database: places, times, digests and numbers move, everything else stays. Indexes
are made when all rows are there.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from bench.report import Figure, report
from bench.weeks import NOW, WEEK, Weeks
from exchange.bus.topics import JOURNAL
from exchange.domain.directory import Body, BodyStatus
from exchange.domain.fact import JournalFact
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.rollout import AYIL_OKMOTU
from exchange.embedded.country import AYIL_OKMOTU_THEN, country_bodies
from exchange.embedded.postgres import EmbeddedPostgres
from exchange.services.reading import BATCH_RECORDS
from exchange.settings.territory import territory
from exchange.store.database import Store
from exchange.store.rows import PositionRow, first_place
from exchange.store.schema import acts, deliveries, facts, flags, letters

DELIVERIES = 10_000_000
WEEKS = 104
PARTITIONS = 16
FOLDER = "EXCHANGE_BENCH_DATABASE"
NUMBER = "EXCHANGE_BENCH_DELIVERIES"

_WHOLE = 2
_UNTIL_NOW = 2
_SPAN = 1 << 20
"""Offsets of a partition that a week has to itself."""
_MICROS = WEEK.days * 24 * 3600 * 1_000_000
_KINDS = ("oblast", "city", "raion", "service", AYIL_OKMOTU)
_TABLES = (letters, facts, deliveries, flags, acts)
_PLACES = {"place", "letter"}
_TIMES = {"created", "arrived", "decided", "journalled", "at", "said", "since"}
_TIMES_OR_ZERO = {"began", "due", "delivered", "registered"}
_DATES = {"reg_date", "reply_due"}
_NAMES = {"message_id", "document_id", "reg_number"}
_LOADING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "maintenance_work_mem": "512MB",
}
_KEPT = {"wal_level": "minimal", "max_wal_senders": "0", "shared_buffers": "1GB"}


async def run() -> None:
    """Fill the database in the folder that is named; one that is full is left as it is."""
    with filled():
        return


@contextmanager
def filled() -> Iterator[str]:
    """The address of a full database."""
    named = os.environ.get(FOLDER)
    with TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(named or name)
        with _server(folder) as url:
            if not (folder / "filled").exists():
                fill(url, int(os.environ.get(NUMBER, DELIVERIES)))
                (folder / "filled").touch()
            yield url


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with EmbeddedPostgres(folder) as server:
        _set(server.url, _KEPT)
    with EmbeddedPostgres(folder) as server:
        yield server.url


def fill(url: str, number: int) -> None:
    """Fill an empty database and say what that took."""
    begin = time.perf_counter()
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    _set(url, _LOADING)
    with Store(url) as store, engine.connect() as connection:
        store.drop()
        store.migrate()
        _take_weeks(store, number // WEEKS)
        written = time.perf_counter()
        _drop_indexes(connection)
        for back in range(_WHOLE, WEEKS - _UNTIL_NOW, _WHOLE):
            _copy_back(connection, back)
        copied = time.perf_counter()
        _make_indexes(connection)
        connection.exec_driver_sql("VACUUM ANALYZE")
        done = time.perf_counter()
        for name in _LOADING:
            connection.exec_driver_sql(f"ALTER SYSTEM RESET {name}")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        rows = {table.name: _rows(connection, table) for table in _TABLES}
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        counting = time.perf_counter()
        months = store.count_changes(JOURNAL)
        counted = time.perf_counter() - counting
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()
    for name, value in rows.items():
        report(Figure(f"deliveries.{name}", value, "rows"))
    report(Figure("deliveries.written", written - begin, "s for four weeks by the tracker's writer"))
    report(Figure("deliveries.copied", copied - written, "s"))
    report(Figure("deliveries.indexed", done - copied, "s"))
    report(Figure("deliveries.tallied", counted, f"s for {months} months"))
    report(Figure("deliveries.size", size / max(1, rows["deliveries"]), "bytes/delivery"))


def country() -> list[Body]:
    """The 941 bodies; those with the most letters first."""
    every = country_bodies(territory())
    villages = [body for body in every if body.kind == AYIL_OKMOTU][:AYIL_OKMOTU_THEN]
    others = [body for body in every if body.kind != AYIL_OKMOTU]
    chosen = sorted([*others, *villages], key=lambda body: _KINDS.index(body.kind) if body.kind in _KINDS else -1)
    return [
        Body(body.code, body.names, body.kind, BodyStatus.CONNECTED, body.uids, body.soate, systems=(body.profile,))
        for body in chosen
    ]


def _set(url: str, settings: dict[str, str]) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name, value in settings.items():
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    engine.dispose()


def _take_weeks(store: Store, number: int) -> None:
    weeks = Weeks(country(), PARTITIONS)
    for index in range(WEEKS - _WHOLE - _UNTIL_NOW, WEEKS):
        told = weeks.facts(NOW - (WEEKS - index) * WEEK, number, index * _SPAN)
        for start in range(0, len(told), BATCH_RECORDS):
            batch = told[start : start + BATCH_RECORDS]
            store.take(batch, _reached(batch), terms=weeks.terms)


def _reached(batch: Sequence[JournalFact]) -> list[PositionRow]:
    last = {fact.position.partition: fact.position.offset for fact in batch}
    return [PositionRow(JOURNAL, partition, offset, ZERO_DIGEST) for partition, offset in last.items()]


def _copy_back(connection: sa.Connection, back: int) -> None:
    """The whole weeks once more, so many weeks earlier."""
    first = WEEKS - _WHOLE - _UNTIL_NOW
    ranges = [
        (first_place(partition, first * _SPAN), first_place(partition, (first + _WHOLE) * _SPAN))
        for partition in range(PARTITIONS)
    ]
    for table in _TABLES:
        key = "letter" if table is deliveries else "place"
        kept = f"whole_{table.name}"
        within = " OR ".join(f"{key} >= {begin} AND {key} < {end}" for begin, end in ranges)
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {kept} AS SELECT * FROM {table.name} WHERE {within}"  # noqa: S608
            " ORDER BY journalled"
        )
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        moved = ", ".join(_moved(column, back) for column in table.columns)
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) SELECT {moved} FROM {kept}")  # noqa: S608


def _moved(column: sa.Column[Any], back: int) -> str:
    """What a copy has in a column."""
    name = f'"{column.name}"'
    if isinstance(column.type, sa.LargeBinary):
        return f"CASE WHEN length({name}) = 32 THEN sha256({name} || int4send({back})) ELSE {name} END"
    for names, moved in (
        (_PLACES, f"{name} - {back * _SPAN}"),
        (_TIMES, f"{name} - {back * _MICROS}"),
        (_TIMES_OR_ZERO, f"CASE WHEN {name} = 0 THEN 0 ELSE {name} - {back * _MICROS} END"),
        (_DATES, f"CASE WHEN {name} = '' THEN '' ELSE ({name}::date - {7 * back})::text END"),
        (_NAMES, f"CASE WHEN {name} = '' THEN '' ELSE {name} || '.{back}' END"),
    ):
        # An act's letter is a digest, any other a place.
        if column.name in names and (names != _TIMES or isinstance(column.type, sa.BigInteger)):
            return moved
    return name


def _drop_indexes(connection: sa.Connection) -> None:
    for table in _TABLES:
        for index in table.indexes:
            index.drop(connection)
        connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.name}_pkey")


def _make_indexes(connection: sa.Connection) -> None:
    for table in _TABLES:
        columns = ", ".join(column.name for column in table.primary_key)
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD PRIMARY KEY ({columns})")
        for index in table.indexes:
            index.create(connection)


def _rows(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
