"""What keepers change in the directory, and how it begins; the clock puts versions in force."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange import system
from exchange.cli.directory.certificates import described_issuer, is_named
from exchange.cli.directory.drafts import Desk, folder_of, listed_body
from exchange.cli.directory.entering import Reason, entering
from exchange.cli.directory.panels import RUN
from exchange.cli.directory.standing import Done
from exchange.cli.output import Json, Output
from exchange.cli.own_keys import own_key
from exchange.cli.places import Config
from exchange.cli.problems import require_none
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Paper
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.directory.publisher import DirectoryPublisher, PublishingKeys
from exchange.security.enrolment_rules import listing_problems, require_issuer
from exchange.security.errors import KeyRefused
from exchange.security.keys import load_certificate
from exchange.security.purpose import PURPOSES

app = typer.Typer()

Codes = Annotated[list[str], typer.Argument(metavar="CODE...", help="Codes of bodies.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="The body's code.")]
Day = datetime | None
DAYS = ["%Y-%m-%d"]


@dataclass(frozen=True, slots=True)
class Stamped:
    """A timestamp: its own number, and the version that it puts in force."""

    version: int
    timestamp: int


@app.command(rich_help_panel=RUN)
def found(
    *,
    lanes: Annotated[int, typer.Option(min=1, help="Partitions of submissions; fixed for ever.")],
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of the journal; fixed for ever.")],
    issuer: Annotated[list[Path], typer.Option("--issuer", help="Certificate of an authority for statements (PEM).")],
    key: Annotated[list[Path], typer.Option("--key", help="Keys of as many keepers as must sign: all are here.")],
    clock: Annotated[Path, typer.Option("--clock", help="The clock's key.")],
    config: Config = None,
) -> None:
    """Publish version 1 of the directory, with no bodies in it; the end of the ceremony."""
    folder = folder_of(config)
    first = Directory(
        exchange=folder.exchange,
        version=1,
        digest=ZERO_DIGEST,
        previous=ZERO_DIGEST,
        issued=system.now(),
        lanes=lanes,
        journal_partitions=partitions,
        issuers=tuple(map(_issuer, issuer)),
        bodies={},
    )
    keys = PublishingKeys(tuple(map(own_key, key)), own_key(clock))
    DirectoryPublisher(folder).publish(first, keys, system.now())
    typer.echo(f"exchange {folder.exchange.hex()} is founded")


@entering(app)
def suspend(desk: Desk, codes: Codes, *, reason: Reason) -> Done:
    """Cut bodies off: what they send is held back, nothing more is accepted for them; `resume` undoes it."""
    return desk.enter_bodies(codes, lambda body: replace(body, status=BodyStatus.SUSPENDED), reason)


@entering(app)
def connect(desk: Desk, codes: Codes, *, reason: Reason) -> Done:
    """Let bodies that were tested take their place among the others."""
    return desk.enter_bodies(codes, lambda body: replace(body, status=BodyStatus.CONNECTED), reason)


@entering(app)
def resume(desk: Desk, codes: Codes, *, reason: Reason) -> Done:
    """Connect bodies again that were suspended."""
    return desk.enter_bodies(codes, lambda body: replace(body, status=BodyStatus.CONNECTED), reason)


@entering(app)
def leave(desk: Desk, codes: Codes, *, reason: Reason) -> Done:
    """Let bodies go for ever; their entries stay, so that what they said can be verified."""
    return desk.enter_bodies(codes, lambda body: replace(body, status=BodyStatus.LEFT), reason)


@entering(app)
def paper(
    desk: Desk,
    codes: Codes,
    *,
    taken_until: Annotated[Day, typer.Option(formats=DAYS, help="The first day on which it takes none.")] = None,
    sent_until: Annotated[Day, typer.Option(formats=DAYS, help="The first day on which it sends none.")] = None,
    bridge: Annotated[str | None, typer.Option(help="Who carries it, empty for nobody. Default: as it is.")] = None,
    reason: Reason,
) -> Done:
    """Say until when bodies use paper beside the exchange; without a day they are electronic only, that way."""
    days = [None if day is None else day.date() for day in (taken_until, sent_until)]
    channel = Paper(*days) if any(days) else None
    if bridge:
        desk.require_listed(bridge)
    if bridge in codes:
        message = f"--bridge: {bridge} cannot carry itself: name the body that prints for it"
        raise ConfigurationError(message, code="gateway-unknown")

    def change(body: Body) -> Body:
        return replace(body, paper=channel, gateway=body.gateway if bridge is None else bridge)

    return desk.enter_bodies(codes, change, reason)


@entering(app)
def certify(
    desk: Desk,
    code: Code,
    certificate: Annotated[Path, typer.Argument(help="The certificate (PEM).")],
    *,
    reason: Reason,
) -> Done:
    """List one more certificate of a body, beside those that it has; what it is for, it says itself.

    Exit code 1 when it names somebody else, or was issued by nobody who may.
    """
    loaded = load_certificate(certificate)
    use = _use(loaded)

    def certified(head: Directory) -> list[Body]:
        body = listed_body(head, code)
        problems = listing_problems(loaded, use, code, desk.issuers(use, head), system.now())
        require_none(desk.output, list(problems))
        listed = ListedCertificate(loaded.public_bytes(Encoding.DER), use)
        return [replace(body, certificates=(*body.certificates, listed))]

    return desk.enter_entries(certified, reason)


@entering(app)
def revoke(
    desk: Desk,
    code: Code,
    certificate: Annotated[
        str, typer.Argument(help="Beginning of its SHA-256, or its serial number, as `exchange directory show` has it.")
    ],
    *,
    reason: Reason,
) -> Done:
    """Let a certificate of a body speak no more from now on; what it signed before stays valid."""

    def change(body: Body) -> Body:
        found = [each for each in body.certificates if is_named(each.der, certificate)]
        if len(found) != 1 or found[0].revoked is not None:
            message = f"{code} has no one certificate {certificate[:64]} in use: see `exchange directory show {code}`"
            raise ConfigurationError(message, code="certificate-not-listed")
        revoked = replace(found[0], revoked=system.now())
        return replace(body, certificates=tuple(revoked if each is found[0] else each for each in body.certificates))

    return desk.enter_bodies([code], change, reason)


@entering(app)
def trust(desk: Desk, certificate: Annotated[Path, typer.Argument(help="The authority's certificate (PEM).")]) -> Done:
    """Accept statement certificates of one more authority, as far as the directory lists them for a body."""
    der = _issuer(certificate)
    return desk.enter(lambda head: replace(head, issuers=tuple(dict.fromkeys((*head.issuers, der)))))


@entering(app)
def distrust(
    desk: Desk,
    certificate: Annotated[
        str, typer.Argument(help="Beginning of the authority's certificate's SHA-256, or its serial number.")
    ],
) -> Done:
    """Accept no certificates of an authority any more; what they signed before stays valid."""

    def without(head: Directory) -> Directory:
        left = tuple(der for der in head.issuers if not is_named(der, certificate))
        if len(left) != len(head.issuers) - 1 or not left:
            known = ", ".join(described_issuer(der).digest[:16] for der in head.issuers)
            message = f"{certificate[:64]} is not one of the authorities {known}, of which one has to stay"
            raise ConfigurationError(message, code="certificate-not-listed")
        return replace(head, issuers=left)

    return desk.enter(without)


@entering(app)
def renew(desk: Desk) -> Done:
    """Sign the newest version again under a new root, with no change in it."""
    return desk.enter(lambda head: head)


@app.command(rich_help_panel=RUN)
def stamp(
    *,
    key: Annotated[Path, typer.Option("--key", help="The clock's key.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Say for another day that the newest complete version is the newest: for a timer, at least daily."""
    folder = folder_of(config)
    version = DirectoryPublisher(folder).stamp(own_key(key), system.now()).version
    found = Stamped(version, folder.newest().number)
    words = f"version {found.version} is in force, by timestamp {found.timestamp}"
    Output(as_json=json).result(found, lambda console: console.print(words))


def _issuer(file: Path) -> bytes:
    certificate = load_certificate(file)
    require_issuer(certificate, str(file))
    return certificate.public_bytes(Encoding.DER)


def _use(certificate: x509.Certificate) -> CertificateUse:
    with suppress(x509.ExtensionNotFound):
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        for use, purpose in PURPOSES.items():
            if purpose.value in usages:
                return use
    message = f"the certificate's extended key usage is for none of {', '.join(PURPOSES)}: ask for another one"
    raise KeyRefused(message, code="certificate-usage-unknown")
