"""What `exchange doctor` looks at. Every finding says what is wrong, where, and what to do next."""

import asyncio
import shutil
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from exchange.bus.access import ROUTER, TRACKER, body_grants, service_grants
from exchange.bus.administration import Administration, Difference
from exchange.bus.clock import cluster_time
from exchange.bus.quotas import EVERY_OTHER_USER, Quota, read_quotas
from exchange.bus.topics import inbox_topic, service_topics
from exchange.domain.directory import BodyStatus, Directory
from exchange.domain.errors import ExchangeError
from exchange.security.keys import load_certificate, load_certificates
from exchange.settings import OperatorSettings
from exchange.store import queries
from exchange.store.database import Store
from exchange.wiring.directory import latest_directory

SOON = timedelta(days=30)
SKEW_WARNED = timedelta(seconds=2)
SKEW_REFUSED = timedelta(minutes=5)
FREE_BYTES = 1024**3
TLS_SECONDS = 5.0
BROKER_SETTINGS = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.partition.verification.enable": "true",
    "auto.create.topics.enable": "false",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
}
"""What the exchange relies on, and brokers do not all have by default; `docs/operator.md` says why each."""

Clock = Callable[[], datetime]

_LISTED = frozenset({BodyStatus.CONNECTED, BodyStatus.TESTING})


class Severity(StrEnum):
    """An error keeps something from working now, a warning will or may."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be; `code` is stable."""

    severity: Severity
    code: str
    subject: str
    problem: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Check:
    """One look; `skipped` says why it could not be taken."""

    name: str
    findings: tuple[Finding, ...] = ()
    skipped: str = ""


async def examine(
    settings: OperatorSettings, waiting: Mapping[str, str], clock: Clock, tell: Callable[[str], None]
) -> list[Check]:
    """Take every look.

    Args:
        settings: of an operator, whose principal may describe topics, rights and quotas.
        waiting: what each known process of the installation waits for, empty when it works.
        clock: gives the present time (UTC).
        tell: told what is looked at.
    """
    now = clock()
    directory, listed = _directory(settings, now)
    checks = [_own_certificates(settings, now), listed]
    tell("asking Kafka")
    tls = await _tls(settings)
    checks.append(tls)
    reachable = not tls.findings
    looks: Sequence[tuple[str, Callable[[], Awaitable[Iterable[Finding]]]]] = (
        ("clock", lambda: _clock(settings, clock)),
        ("broker settings", lambda: _brokers(settings)),
        ("topics", lambda: _topics(settings, directory)),
        ("rights", lambda: _rights(settings, directory)),
        ("quotas", lambda: _quotas(settings)),
    )
    for name, look in looks:
        tell(f"looking at {name}")
        checks.append(await _taken(name, look) if reachable else Check(name, skipped="Kafka cannot be reached"))
    return [*checks, _database(settings), _disk(settings), _processes(waiting)]


async def _taken(name: str, look: Callable[[], Awaitable[Iterable[Finding]]]) -> Check:
    try:
        return Check(name, tuple(await look()))
    except ExchangeError as error:
        return Check(name, (_from(error, name),))


def _from(error: ExchangeError, subject: str) -> Finding:
    """An error's own message already names the next step."""
    return Finding(Severity.ERROR, error.code, subject, str(error), "do what the message says, then run doctor again")


def _own_certificates(settings: OperatorSettings, now: datetime) -> Check:
    findings: list[Finding] = []
    try:
        settings.kafka.ssl_context()
        for file in (settings.kafka.certificate, settings.kafka.ca, settings.directory.roots):
            findings += _dates(str(file), load_certificate(file), now)
    except ExchangeError as error:
        findings.append(_from(error, str(settings.kafka.certificate)))
    return Check("keys and certificates", tuple(findings))


def _directory(settings: OperatorSettings, now: datetime) -> tuple[Directory | None, Check]:
    name = "directory"
    try:
        load_certificates(settings.directory.roots)
        directory = latest_directory(settings.directory)
    except ExchangeError as error:
        return None, Check(name, (_from(error, str(settings.directory.folder)),))
    findings = [
        finding
        for body in directory.bodies.values()
        if body.status in _LISTED
        for listed in body.certificates
        if listed.revoked is None
        for finding in _dates(f"{body.code}, {listed.use}", x509.load_der_x509_certificate(listed.der), now)
    ]
    return directory, Check(name, tuple(findings))


def _dates(subject: str, certificate: x509.Certificate, now: datetime) -> list[Finding]:
    ends, begins = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    renew = "issue a new one, list it in the directory, then restart who uses it"
    if now > ends:
        return [Finding(Severity.ERROR, "certificate-expired", subject, f"expired on {ends:%Y-%m-%d}", renew)]
    if now < begins:
        wait = "wait, or check this machine's clock"
        return [Finding(Severity.ERROR, "certificate-not-yet-valid", subject, f"valid from {begins:%Y-%m-%d}", wait)]
    if ends - now < SOON:
        problem = f"expires on {ends:%Y-%m-%d}, in {(ends - now).days} days"
        return [Finding(Severity.WARNING, "certificate-expires", subject, problem, renew)]
    return []


async def _tls(settings: OperatorSettings) -> Check:
    """Every bootstrap address by itself: a client would be content with one."""
    try:
        context = settings.kafka.ssl_context()
    except ExchangeError as error:
        return Check("Kafka over TLS", (_from(error, settings.kafka.bootstrap),))
    addresses = settings.kafka.bootstrap.split(",")
    failed = await asyncio.gather(*(_connect(address.strip(), context) for address in addresses))
    return Check("Kafka over TLS", tuple(finding for finding in failed if finding is not None))


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


async def _clock(settings: OperatorSettings, clock: Clock) -> list[Finding]:
    theirs = await cluster_time(settings.kafka)
    skew = abs(clock() - theirs)
    if skew < SKEW_WARNED:
        return []
    severity = Severity.ERROR if skew >= SKEW_REFUSED else Severity.WARNING
    problem = f"this machine and the cluster differ by {skew.total_seconds():.0f} s"
    return [Finding(severity, "clock-skew", "clock", problem, "let both follow the same time server (NTP)")]


async def _brokers(settings: OperatorSettings) -> list[Finding]:
    async with Administration(settings.kafka) as administration:
        found = await administration.broker_settings()
    step = "set it in the broker's server.properties and restart the broker"
    return [
        Finding(Severity.WARNING, "broker-setting", f"broker {number}", f"{name} is {has!r}, not {wanted}", step)
        for number, values in sorted(found.items())
        for name, wanted in BROKER_SETTINGS.items()
        if (has := values.get(name, "")) != wanted
    ]


async def _topics(settings: OperatorSettings, directory: Directory | None) -> list[Finding]:
    if directory is None:
        return []
    shape = settings.shape(directory.lanes, directory.journal_partitions)
    inboxes = (inbox_topic(body.code, shape) for body in directory.bodies.values() if body.status in _LISTED)
    async with Administration(settings.kafka) as administration:
        differences = await administration.topic_differences((*service_topics(shape), *inboxes))
    return [_topic_finding(difference) for difference in differences]


def _topic_finding(difference: Difference) -> Finding:
    topic, setting = difference.subject, difference.setting
    problem = f"{setting} is {difference.found or 'missing'}, must be {difference.expected}"
    if setting == "topic":
        step = "create it: exchange dev up; elsewhere see docs/operator.md, 'Topics'"
    elif setting in {"partitions", "replication"}:
        step = "fixed at installation: see docs/operator.md, 'Topics', before anything is changed"
    else:
        change = f"--entity-type topics --entity-name {topic} --add-config {setting}={difference.expected}"
        step = f"kafka-configs --alter {change}"
    return Finding(Severity.ERROR, "topic-differs", topic, problem, step)


async def _rights(settings: OperatorSettings, directory: Directory | None) -> list[Finding]:
    if directory is None:
        return []
    codes = [body.code for body in directory.bodies.values() if body.status in _LISTED]
    granted = (*service_grants(), *(grant for code in codes for grant in body_grants(code)))
    async with Administration(settings.kafka) as administration:
        differences = await administration.access_differences(granted)
    return [_right_finding(difference) for difference in differences]


def _right_finding(difference: Difference) -> Finding:
    principal = difference.subject
    if difference.expected:
        step = f"grant it: exchange dev up; elsewhere kafka-acls --add --allow-principal User:{principal} …"
        return Finding(Severity.ERROR, "right-missing", principal, f"lacks: {difference.expected}", step)
    step = f"if nobody means it: kafka-acls --remove --allow-principal User:{principal} …"
    return Finding(Severity.ERROR, "right-stray", principal, f"has, and should not: {difference.found}", step)


async def _quotas(settings: OperatorSettings) -> list[Finding]:
    quotas = await read_quotas(settings.kafka)
    findings = []
    if not _limits(quotas.get(EVERY_OTHER_USER)):
        step = "kafka-configs --alter --entity-type users --entity-default --add-config producer_byte_rate=8388608,…"
        problem = "no default quota: one body could use up the brokers"
        findings.append(Finding(Severity.WARNING, "quota-missing", "every other user", problem, step))
    step = "kafka-configs --alter --entity-type users --entity-name <service> with what the broker can give"
    findings += [
        Finding(Severity.WARNING, "quota-missing", name, "has no quota of its own, so it has a body's", step)
        for name in (ROUTER, TRACKER)
        if name not in quotas and _limits(quotas.get(EVERY_OTHER_USER))
    ]
    return findings


def _limits(quota: Quota | None) -> bool:
    return quota is not None and quota.producer_bytes_per_second != float("inf")


def _database(settings: OperatorSettings) -> Check:
    name = "tracker's database"
    try:
        with Store(settings.store) as store, store.reading() as connection:
            queries.counts(connection)
    except ExchangeError as error:
        return Check(name, (_from(error, name),))
    return Check(name)


def _disk(settings: OperatorSettings) -> Check:
    folders = {settings.directory.folder, *_database_folder(settings.store)}
    step = "free some space: spools, brokers and the database stop when it is gone"
    findings = [
        Finding(Severity.WARNING, "disk-low", str(folder), f"{free / 1e6:.0f} MB free", step)
        for folder in sorted(folders)
        if folder.exists() and (free := shutil.disk_usage(folder).free) < FREE_BYTES
    ]
    return Check("disk", tuple(findings))


def _database_folder(url: str) -> list[Path]:
    path = url.removeprefix("sqlite:///")
    return [Path(path).parent] if path != url else []


def _processes(waiting: Mapping[str, str]) -> Check:
    step = "see its log; for a dev installation: exchange dev up"
    findings = [
        Finding(Severity.ERROR, "process-waits", role, f"waits for {reason}", step)
        for role, reason in waiting.items()
        if reason
    ]
    return Check("processes", tuple(findings), "" if waiting else "none of this installation is known here")
