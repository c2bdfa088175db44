"""What `exchange doctor` looks at in the cluster."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from exchange.bus.administration import Administration, Copies
from exchange.bus.clock import cluster_time
from exchange.bus.connection import KafkaSettings
from exchange.bus.topics import CHECKPOINTS
from exchange.cli.findings import Check, Finding, Severity, finding_of
from exchange.domain.errors import ExchangeError
from exchange.settings import OperatorSettings

SKEW_WARNED = timedelta(seconds=2)
LOG_SILENT = timedelta(minutes=15)
SKEW_REFUSED = timedelta(minutes=5)
TLS_SECONDS = 5.0
BROKER_SETTINGS = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.partition.verification.enable": "true",
    "producer.id.expiration.ms": "60000",
    "quota.window.num": "2",
    "auto.create.topics.enable": "false",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
}
"""What the exchange relies on, and brokers do not all have by default; `docs/operator.md` says why each."""

Clock = Callable[[], datetime]

TLS = "Kafka over TLS"


async def check_tls(kafka: KafkaSettings, brokers: Sequence[str] = ()) -> Check:
    """Every bootstrap address by itself, and every one of `brokers`: a client would be content with one."""
    try:
        context = kafka.ssl_context()
    except ExchangeError as error:
        return Check(TLS, (finding_of(error, kafka.bootstrap),))
    addresses = dict.fromkeys((*(address.strip() for address in kafka.bootstrap.split(",")), *brokers))
    failed = await asyncio.gather(*(_connect(address, context) for address in addresses))
    return Check(TLS, tuple(finding for finding in failed if finding is not None))


async def _connect(address: str, context: ssl.SSLContext) -> Finding | None:
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(TLS_SECONDS):
            _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    except ssl.SSLError as error:
        step = "check that [kafka] ca is the root of the brokers' certificates and that their names and dates fit"
        return Finding(Severity.ERROR, "tls-failed", address, f"no TLS: {error.reason or error}", step)
    except (OSError, ValueError) as error:
        step = "check address and firewall; is the broker up? For a dev installation: exchange dev up"
        problem = f"no connection: {str(error) or 'no answer in time'}"
        return Finding(Severity.ERROR, "kafka-unreachable", address, problem, step)
    writer.close()
    return None


async def check_clock(settings: OperatorSettings, clock: Clock) -> list[Finding]:
    """How far this machine's clock is from the cluster's."""
    began = clock()
    theirs = await cluster_time(settings.kafka)
    return clock_findings(apart(theirs, began, clock()))


def apart(theirs: datetime, began: datetime, ended: datetime) -> timedelta:
    """How far the clocks differ at least, when theirs was read between `began` and `ended` of ours."""
    return max(began - theirs, theirs - ended, timedelta())


def clock_findings(skew: timedelta) -> list[Finding]:
    """What is to be said of two clocks that differ by `skew`."""
    if skew < SKEW_WARNED:
        return []
    severity = Severity.ERROR if skew >= SKEW_REFUSED else Severity.WARNING
    problem = f"this machine and the cluster differ by {skew.total_seconds():.0f} s"
    return [Finding(severity, "clock-skew", "clock", problem, "let both follow the same time server (NTP)")]


async def check_log(settings: OperatorSettings, clock: Clock) -> list[Finding]:
    """Whether the archive still publishes checkpoints of the transparency log."""
    async with Administration(settings.kafka) as administration:
        newest = await administration.newest(CHECKPOINTS, 0)
    return log_findings(newest, clock())


def log_findings(newest: datetime | None, now: datetime) -> list[Finding]:
    """What is to be said of a log whose checkpoint was published last at `newest`, None: never."""
    if newest is not None and now - newest < LOG_SILENT:
        return []
    problem = "no checkpoint was ever published" if newest is None else f"the last is of {newest:%Y-%m-%d %H:%M} UTC"
    step = "see /health and log of the archive: docs/operate/runbooks/archive-stands-still.md"
    return [Finding(Severity.WARNING, "log-silent", CHECKPOINTS, problem, step)]


async def check_brokers(settings: OperatorSettings) -> list[Finding]:
    """Settings of brokers that the exchange relies on."""
    must_be = {
        **BROKER_SETTINGS,
        "transaction.state.log.replication.factor": str(settings.replication),
        "transaction.state.log.min.isr": str(settings.min_insync),
    }
    async with Administration(settings.kafka) as administration:
        found = await administration.broker_settings()
    step = "set it in the broker's server.properties and restart the broker"
    return [
        Finding(Severity.WARNING, "broker-setting", f"broker {number}", f"{name} is {has!r}, not {wanted}", step)
        for number, values in sorted(found.items())
        for name, wanted in must_be.items()
        if (has := values.get(name, "")) != wanted
    ]


async def check_copies(settings: OperatorSettings) -> list[Finding]:
    """Whether enough copies of every partition are there and in sync, now."""
    async with Administration(settings.kafka) as administration:
        kept = await administration.copies()
    worst = {each.topic: each for each in sorted(kept, key=_safety, reverse=True)}
    findings = (copies_finding(each, settings.replication, settings.min_insync) for each in worst.values())
    return [finding for finding in findings if finding is not None]


def _safety(kept: Copies) -> tuple[bool, int, int]:
    return kept.has_leader, kept.in_sync, kept.assigned


def copies_finding(kept: Copies, replication: int, min_insync: int) -> Finding | None:
    """What is worst about a topic's worst partition; None when all is well."""
    subject = f"{kept.topic}/{kept.partition}"
    start = "start the brokers that are away, and look at their disks and logs"
    if not kept.has_leader:
        return Finding(Severity.ERROR, "partition-without-leader", subject, "no broker serves it", start)
    problem = f"{kept.in_sync} of {kept.assigned} copies are in sync"
    if kept.assigned < replication:
        step = f"it must have {replication}: kafka-reassign-partitions, see docs/operator.md, 'Kafka'"
        return Finding(Severity.ERROR, "copies-too-few", subject, problem, step)
    if kept.in_sync < min_insync:
        return Finding(Severity.ERROR, "copies-not-in-sync", subject, f"{problem}: nothing can be written", start)
    if kept.in_sync < kept.assigned:
        return Finding(Severity.WARNING, "copies-not-in-sync", subject, problem, start)
    return None
