"""How bodies come into the directory: planned by a list, let in by their request."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange import system
from exchange.cli.directory.drafts import Desk, folder_of, listed_body
from exchange.cli.directory.entering import Reason, entering
from exchange.cli.directory.panels import RUN
from exchange.cli.directory.standing import Done
from exchange.cli.output import Json, Output
from exchange.cli.places import Config
from exchange.cli.problems import require_none
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.domain.planned import read_plan
from exchange.security.authority import Authority
from exchange.security.enrolment import answer_of, decode_request, encode_answer, entry_of
from exchange.security.enrolment_rules import examine_request, keys_listed
from exchange.security.files import write_atomically
from exchange.security.keys import load_certificate
from exchange.settings.territory import territory

app = typer.Typer()

Issuing = Annotated[Path, typer.Option(help="Folder of the authority that issues the certificates.")]


@entering(app)
def grant(
    desk: Desk,
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help="The body's file: CODE.request.json.")],
    *,
    authority: Issuing,
    reason: Reason,
) -> Done:
    """Let a body in that asked: issue its certificates, and list it as testing.

    Compare the SHA-256 of its request, which stands in the change, with what the body's administrator tells by
    telephone. Exit code 1 when anything is wrong with the request; all of it is told. The answer for the body is
    written when the other keeper approves, beside the draft.
    """
    data = _read(request)
    asked, now = decode_request(data), system.now()

    def granted(head: Directory) -> Iterable[Body]:
        used = keys_listed(head.bodies.values())
        require_none(desk.output, examine_request(asked, head, territory().names.keys(), used, now))
        issuing = _authority(authority, head)
        certificates = {use: issuing.certify(csr, asked.code, use) for use, csr in asked.csrs.items()}
        return [_let_in(entry_of(asked, certificates), head.bodies.get(asked.code), now)]

    return desk.enter_entries(granted, f"{reason}; request {digest(data).hex()}")


@app.command(rich_help_panel=RUN)
def answer(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A body that was let in.")],
    *,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write the answer for a body that was let in once more: CODE.answer.json, with the certificates listed for it."""
    head = folder_of(config).latest()
    given, file = answer_of(head.exchange, listed_body(head, code)), Path(f"{code}.answer.json")
    if not given.certificates:
        message = f"no certificate is listed for {code}: let it in first, with `grant`"
        raise ConfigurationError(message, code="certificate-not-listed")
    write_atomically(file, encode_answer(given))
    Output(as_json=json).result({"answer": file}, lambda console: console.print(f"send to the body: {file}"))


@app.command(rich_help_panel=RUN)
def crl(
    *,
    authority: Issuing,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The list, as in own.crl.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="When the next one is due.")] = 30,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write which certificates of the authority are revoked, as the directory has it: a CRL (RFC 5280).

    In the routers' folder of lists it becomes part of each decision, and of evidence, whose validators cannot read a
    directory. Write it anew after each `revoke`, and before it is due.
    """
    head, now = folder_of(config).latest(), system.now()
    listed = [certificate for body in head.bodies.values() for certificate in body.certificates]
    due = now + timedelta(days=days)
    write_atomically(output, _authority(authority, head).revocation_list(listed, due))
    Output(as_json=json).result(
        {"list": output, "due": due}, lambda console: console.print(f"{output}: due {due:%Y-%m-%d}")
    )


@entering(app)
def issue(
    desk: Desk,
    code: Annotated[str, typer.Argument(metavar="CODE", help="A listed body's code.")],
    csr: Annotated[Path, typer.Argument(metavar="CSR", help="Its request for a certificate (PKCS#10, PEM).")],
    *,
    authority: Issuing,
    use: Annotated[CertificateUse, typer.Option(help="What it is for.")] = CertificateUse.STATEMENT,
    reason: Reason,
) -> Done:
    """Issue one more certificate to a listed body, and list it beside those that it has.

    For a body that renews its keys, whose key was revoked, or which a gateway carries. The certificate goes beside
    the request, as CSR.crt.pem.
    """
    try:
        asked = x509.load_pem_x509_csr(_read(csr))
    except ValueError as error:
        message = f"{csr} is no certificate request in PEM: ask for another one"
        raise ConfigurationError(message, code="csr-unreadable") from error
    file = csr.with_name(f"{csr.name}.crt.pem")

    def issued(head: Directory) -> Iterable[Body]:
        before = listed_body(head, code)
        if not asked.is_signature_valid or asked.subject.rfc4514_string() != f"CN={code}":
            message = f"{csr} is not signed by its own key, or not for CN={code}: ask for another one"
            raise ConfigurationError(message, code="csr-unreadable")
        certificate = _authority(authority, head).certify(asked, code, use)
        write_atomically(file, certificate.public_bytes(Encoding.PEM))
        listed = ListedCertificate(certificate.public_bytes(Encoding.DER), use)
        return [replace(before, certificates=(*before.certificates, listed))]

    return replace(desk.enter_entries(issued, reason), certificate=str(file))


@entering(app)
def import_(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="CSV", help="Bodies: docs/connect-a-body.md has the columns.")],
    *,
    reason: Reason,
) -> Done:
    """Plan the bodies of a list. Everything wrong in it is told at once, and then nothing is entered."""
    data = _read(file)

    def planned(head: Directory) -> Iterable[Body]:
        plan = read_plan(data, head, territory().names.keys())
        require_none(desk.output, plan.problems)
        return plan.bodies

    return desk.enter_entries(planned, reason)


def _authority(folder: Path, head: Directory) -> Authority:
    """The authority in a folder; a new one would vouch for certificates that nobody trusts."""
    root = folder / "ca" / "statement.crt.pem"
    if not root.exists():
        message = f"{folder} has no authority ({root} is missing): name the folder of the one that issues"
        raise ConfigurationError(message, code="authority-missing")
    if load_certificate(root).public_bytes(Encoding.DER) not in head.issuers:
        message = f"the directory does not trust the authority in {folder}: name another, or enter it with `trust`"
        raise ConfigurationError(message, code="authority-missing")
    return Authority(folder, now=system.now())


def _let_in(granted: Body, planned: Body | None, now: datetime) -> Body:
    """The entry of a body whose request was granted: what keepers alone decide stays as they planned it.

    A bridge that spoke for it speaks no more.
    """
    if planned is None:
        return replace(granted, status=BodyStatus.TESTING, limits=None, paper=None)
    before = tuple(each if each.revoked else replace(each, revoked=now) for each in planned.certificates)
    certificates = (*before, *granted.certificates)
    kept = replace(granted, limits=planned.limits, paper=planned.paper, certificates=certificates)
    return replace(kept, status=BodyStatus.TESTING)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name the file that came"
        raise ConfigurationError(message, code="file-unreadable") from error
