"""What `exchange doctor` looks at. Every finding says what is wrong, where, and what to do next."""

import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from exchange.cli import kafka_checks
from exchange.cli.findings import Check, Finding, Severity, finding_of
from exchange.cli.process_checks import check_processes
from exchange.cli.rule_checks import check_rules
from exchange.domain.directory import Directory
from exchange.domain.errors import ExchangeError
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import Newest
from exchange.security.keys import load_certificate
from exchange.settings import OperatorSettings
from exchange.store import queries
from exchange.store.database import Store

SOON = timedelta(days=30)
LONG = timedelta(minutes=15)
FREE_BYTES = 1024**3


async def examine(
    settings: OperatorSettings, waiting: Mapping[str, str], clock: Callable[[], datetime], tell: Callable[[str], None]
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
    tls = await kafka_checks.check_tls(settings.kafka)
    checks.append(tls)
    reachable = not tls.findings
    looks: Sequence[tuple[str, Callable[[], Awaitable[Iterable[Finding]]]]] = (
        ("clock", lambda: kafka_checks.check_clock(settings, clock)),
        ("broker settings", lambda: kafka_checks.check_brokers(settings)),
        ("copies", lambda: kafka_checks.check_copies(settings)),
        ("transparency log", lambda: kafka_checks.check_log(settings, clock)),
        ("topics, rights and quotas", lambda: check_rules(settings, directory)),
    )
    for name, look in looks:
        tell(f"looking at {name}")
        checks.append(await _taken(name, look) if reachable else Check(name, skipped="Kafka cannot be reached"))
    return [*checks, _database(settings, now), _disk(settings), check_processes(settings.directory, waiting)]


async def _taken(name: str, look: Callable[[], Awaitable[Iterable[Finding]]]) -> Check:
    try:
        return Check(name, tuple(await look()))
    except ExchangeError as error:
        return Check(name, (finding_of(error, name),))


def _own_certificates(settings: OperatorSettings, now: datetime) -> Check:
    findings: list[Finding] = []
    try:
        settings.kafka.ssl_context()
        for file in (settings.kafka.certificate, settings.kafka.ca):
            findings += date_findings(str(file), load_certificate(file), now)
    except ExchangeError as error:
        findings.append(finding_of(error, str(settings.kafka.certificate)))
    return Check("keys and certificates", tuple(findings))


def _directory(settings: OperatorSettings, now: datetime) -> tuple[Directory | None, Check]:
    name = "directory"
    subject = str(settings.directory.folder)
    try:
        folder = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
        directory, newest = folder.latest(), folder.newest()
    except ExchangeError as error:
        return None, Check(name, (finding_of(error, subject),))
    findings = [
        *vouched_for(newest, subject, now),
        *(
            finding
            for body in directory.bodies.values()
            if body.reachable
            for listed in body.certificates
            if listed.revoked is None
            for finding in date_findings(f"{body.code}, {listed.use}", x509.load_der_x509_certificate(listed.der), now)
        ),
    ]
    return directory, Check(name, tuple(findings))


def vouched_for(newest: Newest, subject: str, now: datetime) -> list[Finding]:
    """Whether somebody still says that the newest version is that."""
    step = "start what signs the timestamp; by hand: exchange directory stamp --key CLOCK"
    if now > newest.valid_until:
        problem = f"its timestamp expired on {newest.valid_until:%Y-%m-%d %H:%M} UTC: nothing is decided any more"
        return [Finding(Severity.ERROR, "directory-expired", subject, problem, step)]
    if now > newest.fresh_until:
        problem = f"its timestamp is overdue; nothing is decided after {newest.valid_until:%Y-%m-%d %H:%M} UTC"
        return [Finding(Severity.WARNING, "directory-stale", subject, problem, step)]
    return []


def date_findings(subject: str, certificate: x509.Certificate, now: datetime) -> list[Finding]:
    """Whether a certificate holds now, and will for a while."""
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


def _database(settings: OperatorSettings, now: datetime) -> Check:
    """Whether it answers, and what it says about bodies that do not fetch their letters."""
    name = "tracker's database"
    try:
        with Store(settings.store) as store, store.reading() as connection:
            oldest = queries.oldest_undelivered(connection)
    except ExchangeError as error:
        return Check(name, (finding_of(error, name),))
    return Check(name, tuple(_letters_wait(body, since) for body, since in oldest.items() if now - since >= LONG))


def _letters_wait(body: str, since: datetime) -> Finding:
    problem = f"has not fetched a letter that was accepted on {since:%Y-%m-%d at %H:%M} UTC"
    step = f"see /health and log of the agent that serves it: exchange letters --to {body} --state accepted"
    return Finding(Severity.WARNING, "letters-wait", body, problem, step)


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
