"""What `exchange body selftest` looks at: each link between a document system and the exchange."""

import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exchange.bus.access import Operation, body_grants
from exchange.bus.own_view import OwnView
from exchange.bus.topics import DIRECTORY, JOURNAL, SUBMISSIONS, inbox
from exchange.cli.checks import date_findings, vouched_for
from exchange.cli.echoed import echoed_letter
from exchange.cli.findings import Check, Finding, Severity, finding_of
from exchange.cli.kafka_checks import TLS, apart, check_tls, clock_findings
from exchange.client import Client
from exchange.domain.directory import Body, CertificateUse
from exchange.domain.errors import ExchangeError
from exchange.domain.ids import digest
from exchange.security.cades import Signer
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.keys import KeyFiles, load_key_pair
from exchange.settings.agent import AgentSettings
from exchange.settings.bodies import BodySettings
from exchange.settings.tables import DirectorySettings

LETTER_LOOKS = ("rights", "letter", "receipts", "reply", "clock")
"""Looks that make no sense while a certificate, the directory or the brokers are wrong."""

_DIRECTORY = "directory"
_LIST = "ask the exchange's operators: exchange directory show"


@dataclass(frozen=True, slots=True)
class Selftest:
    """One body's way into the exchange and back.

    Attributes:
        config: the agent's configuration.
        settings: what it says.
        body: whose way is tested.
        echo: code of the body that answers.
        clock: gives the present time (UTC).
        wait_seconds: how long to wait for the exchange's word, and again for the echo's.
        tell: told what is looked at.
    """

    config: Path
    settings: AgentSettings
    body: BodySettings
    echo: str
    clock: Callable[[], datetime]
    wait_seconds: float
    tell: Callable[[str], None]

    async def run(self) -> list[Check]:
        """Take every look; what depends on one that found an error is left out, and says so."""
        self.tell("looking at keys, directory and brokers")
        checks = [self._certificates()]
        if self._installed():
            checks += [self._directory(), await self._tls(), self._folder()]
        else:
            awaits = "it comes with the agent's first connection, which waits for the certificates"
            without = "nobody is let in without a certificate"
            checks += [Check(_DIRECTORY, skipped=awaits), Check(TLS, skipped=without), self._folder()]
        broken = next((check.name for check in checks if _has_error(check)), "")
        if not broken:
            checks.append(await self._rights())
            broken = checks[-1].name if _has_error(checks[-1]) else ""
        if not broken:
            return [*checks, *await self._letter()]
        taken = {check.name for check in checks}
        return [*checks, *(Check(name, skipped=f"first mend: {broken}") for name in LETTER_LOOKS if name not in taken)]

    @property
    def _pairs(self) -> tuple[KeyFiles, KeyFiles]:
        return self.settings.kafka.files, self.body.statement

    def _installed(self) -> bool:
        """Whether the operators' answer is: before it nothing can be fetched, and nobody connects."""
        return all(files.certificate.exists() for files in self._pairs)

    def _certificates(self) -> Check:
        findings: list[Finding] = []
        for files in self._pairs:
            if not files.certificate.exists():
                step = "when the operators' answer has come: exchange body install ANSWER; until then the agent waits"
                missing = "is not here: the answer to `exchange body request` is not installed"
                subject = str(files.certificate)
                findings.append(Finding(Severity.ERROR, "certificate-file-missing", subject, missing, step))
                continue
            try:
                findings += date_findings(str(files.certificate), load_key_pair(files).certificate, self.clock())
            except ExchangeError as error:
                findings.append(finding_of(error, str(files.certificate)))
        return Check("keys and certificates", tuple(findings))

    def _directory(self) -> Check:
        """Whether somebody vouches for it, and it lets body and echo speak."""
        place = self.settings.directory
        if not (place.folder / TIMESTAMP).exists():
            return Check(_DIRECTORY, (_unfetched(place),))
        try:
            folder = DirectoryFolder.at(place.folder, place.root)
            bodies = folder.latest().bodies
            findings = vouched_for(folder.newest(), str(place.folder), self.clock())
            findings += _admission_findings((self.body.code, self.echo), bodies)
            findings += _listing_findings(bodies.get(self.body.code), self.body.statement)
        except ExchangeError as error:
            findings = [finding_of(error, str(place.folder))]
        return Check(_DIRECTORY, tuple(findings))

    async def _tls(self) -> Check:
        """To every broker, not to those alone that the configuration names."""
        kafka = self.settings.kafka
        found = await check_tls(kafka)
        if found.findings:
            return found
        try:
            return await check_tls(kafka, await OwnView.of(kafka).brokers())
        except ExchangeError as error:
            return Check(found.name, (finding_of(error, kafka.bootstrap),))

    async def _rights(self) -> Check:
        """Exactly its own: to write submissions and read its inboxes, and nothing of others'."""
        kafka = self.settings.kafka
        topics = (SUBMISSIONS, DIRECTORY, JOURNAL, inbox(self.body.code), inbox(self.echo))
        try:
            found = await OwnView.of(kafka).operations(topics)
        except ExchangeError as error:
            return Check("rights", (finding_of(error, kafka.bootstrap),))
        grants = body_grants(self.body.code, {self.body.code, *(body.code for body in self.settings.bodies)})
        wanted = {topic: {grant.operation for grant in grants if grant.name == topic} for topic in topics}
        return Check("rights", tuple(_right_findings(wanted, found)))

    def _folder(self) -> Check:
        """Whether agent and document system can leave files for each other."""
        name, folder = "document system's folder", self.body.folder
        if folder is None:
            return Check(name, skipped="the configuration names none")
        try:
            for part in (folder / "in", folder / "out"):
                part.mkdir(parents=True, exist_ok=True)
                with tempfile.NamedTemporaryFile(dir=part, prefix=".selftest-"):
                    pass
        except OSError as error:
            step = "give the agent's user the right to write it, or free some disk"
            problem = f"cannot be written: {error.strerror}"
            return Check(name, (Finding(Severity.ERROR, "connector-failed", str(folder), problem, step),))
        return Check(name)

    async def _letter(self) -> list[Check]:
        """A letter to the echo and what comes of it; by the time stamps in the inbox, the clock."""
        self.tell(f"waiting for the answer of {self.echo} to a letter")
        began = self.clock()
        try:
            async with Client.open(self.config, body=self.body.code) as client:
                checks = await echoed_letter(client, self.echo, self.wait_seconds, edms=self.body.edms is not None)
        except ExchangeError as error:
            checks = [Check("letter", (finding_of(error, self.body.code),))]
        try:
            theirs = await OwnView.of(self.settings.kafka).newest(inbox(self.body.code))
        except ExchangeError as error:
            return [*checks, Check("clock", (finding_of(error, "clock"),))]
        if theirs is None or checks[0].findings:
            return [*checks, Check("clock", skipped="nothing came by which it could be compared")]
        return [*checks, Check("clock", tuple(clock_findings(apart(theirs, began, self.clock()))))]


def _unfetched(place: DirectorySettings) -> Finding:
    """No version has come yet; who brings it depends on the configuration."""
    if place.follow:
        problem = "no version has come yet: the agent fetches it from the exchange, and waits for it itself"
        step = "start the agent, wait some seconds and look again; its log says what it waits for"
    else:
        problem = "no version is here, and the agent fetches none: `follow` of [directory] is not true"
        step = "set follow = true and start the agent again, or put a reader's copy there"
    return Finding(Severity.ERROR, "directory-missing", str(place.folder), problem, step)


def _has_error(check: Check) -> bool:
    return any(finding.severity is Severity.ERROR for finding in check.findings)


def _admission_findings(codes: Iterable[str], bodies: Mapping[str, Body]) -> Iterator[Finding]:
    for code in codes:
        body = bodies.get(code)
        if body is None or not body.reachable:
            problem = "is not listed" if body is None else f"is listed as {body.status}"
            yield Finding(Severity.ERROR, "body-not-connected", code, problem, f"{_LIST} {code}")


def _listing_findings(body: Body | None, files: KeyFiles) -> Iterator[Finding]:
    """Whether the exchange knows the certificate in place; raises `KeyRefused` when there is none."""
    pair = load_key_pair(files)
    signer = Signer(pair.certificate, pair.key).signer
    listed = [] if body is None else [each for each in body.certificates if each.use is CertificateUse.STATEMENT]
    if not any(digest(each.der) == signer and each.revoked is None for each in listed):
        problem = "is not listed for the body, or was revoked"
        step = "put the listed certificate and its key in place, or ask the operators to list this one"
        yield Finding(Severity.ERROR, "signer-unknown", str(files.certificate), problem, step)


def _right_findings(
    wanted: Mapping[str, Collection[Operation]], found: Mapping[str, Collection[Operation]]
) -> Iterator[Finding]:
    step = "ask the exchange's operators to run: exchange doctor"
    for topic, operations in wanted.items():
        for operation in (Operation.READ, Operation.WRITE):
            if (operation in operations) == (operation in found[topic]):
                continue
            if operation in operations:
                yield Finding(Severity.ERROR, "right-missing", topic, f"we may not {operation} it", step)
            else:
                yield Finding(Severity.WARNING, "right-stray", topic, f"we may {operation} it, and should not", step)
