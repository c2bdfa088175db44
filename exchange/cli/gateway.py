"""`exchange gateway`: keys and certificates for all bodies whose letters a gateway carries, at once.

Their entries are in the directory already, planned, and name the gateway; so nobody fills in a form for each.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console

from exchange import system
from exchange.cli.enrolling import issuers_of, own_key_of, read_answer
from exchange.cli.output import Json, Output
from exchange.cli.problems import require_none
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory
from exchange.domain.entry import Problem
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import body_code, digest
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.enrolment import Answer, encode_request, make_request, uses_of
from exchange.security.enrolment_rules import Applicant, examine_answer
from exchange.security.files import write_atomically
from exchange.security.keys import load_certificate, load_private_key
from exchange.settings.agent import AgentSettings, agent_settings
from exchange.settings.bodies import GatewaySettings

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Keys for the bodies that a gateway carries: request, install."
)
Config = Annotated[Path, typer.Option("--config", help="The configuration of the gateway's agent.")]


@dataclass(frozen=True, slots=True)
class Made:
    """A request that was written; `digest` is its SHA-256, for telling the operators by another way."""

    code: str
    file: Path
    digest: bytes


@app.command()
def request(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the requests go, one file for each body.")],
    *,
    config: Config = Path("agent.toml"),
    json: Json = False,
) -> None:
    """Make keys and a request for each planned body that the directory gives to this gateway.

    Keys that are there are used again, and bodies whose certificates are there are left alone; nothing is sent.
    """
    settings = agent_settings(config, os.environ)
    gateway = _gateway(settings, config)
    directory = DirectoryFolder.at(settings.directory.folder, settings.directory.root).latest()
    now = system.now()
    made = [_request(gateway, directory, body, folder, now) for body in _planned(directory, gateway)]
    Output(as_json=json).result(made, lambda console: _render_requests(made, folder, console))


@app.command()
def install(
    answers: Annotated[list[Path], typer.Argument(metavar="ANSWER…", help="The files that the operators sent back.")],
    *,
    config: Config = Path("agent.toml"),
    json: Json = False,
) -> None:
    """Put the certificates of the operators' answers beside the keys, if all of them fit.

    Exit code 1 when one does not: nothing is installed then. The agent takes the bodies on within seconds.
    """
    settings, output = agent_settings(config, os.environ), Output(as_json=json)
    gateway = _gateway(settings, config)
    folder = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
    answered = [read_answer(file) for file in answers]
    now = system.now()
    ca = load_certificate(settings.kafka.ca)
    require_none(output, [problem for each in answered for problem in _problems(gateway, folder, ca, each, now)])
    files = [file for answer in answered for file in _put(gateway, answer)]
    output.result({"installed": files}, lambda console: console.print(f"[green]✓[/] {len(files)} certificates"))


def _gateway(settings: AgentSettings, config: Path) -> GatewaySettings:
    if settings.gateway is None:
        message = f"{config} is no gateway's: give it a [gateway] table, or name another file with --config"
        raise ConfigurationError(message, code="gateway-missing")
    return settings.gateway


def _planned(directory: Directory, gateway: GatewaySettings) -> list[Body]:
    """Bodies of the gateway that are to be let in, whose certificates are not here yet."""
    before = {BodyStatus.PLANNED, BodyStatus.REQUESTED}
    mine = (body for body in directory.bodies.values() if body.gateway == gateway.body and body.status in before)
    missing = (body for body in mine if not gateway.files(body.code, CertificateUse.STATEMENT).certificate.exists())
    return sorted(missing, key=lambda body: body.code)


def _request(gateway: GatewaySettings, directory: Directory, body: Body, folder: Path, now: datetime) -> Made:
    spoken = () if gateway.edms is None else (gateway.edms.format.name,)
    entry = replace(body, formats=body.formats or spoken)
    keys = {use: own_key_of(gateway.files(body.code, use)) for use in uses_of(entry)}
    made = encode_request(make_request(entry, directory.exchange, keys, now))
    file = folder / f"{body.code}.request.json"
    write_atomically(file, made)
    return Made(body.code, file, digest(made))


def _problems(
    gateway: GatewaySettings, folder: DirectoryFolder, ca: x509.Certificate, answer: Answer, now: datetime
) -> Iterator[Problem]:
    """What is wrong with an answer; each says whose."""
    code, uses = body_code(answer.code), frozenset(CertificateUse) - {CertificateUse.TRANSPORT}
    keys = {use: load_private_key(gateway.files(code, use).key).public_key() for use in uses}
    applicant = Applicant(answer.code, folder.exchange, keys, ca, issuers_of(folder))
    for problem in examine_answer(answer, applicant, now):
        yield replace(problem, place=f"{answer.code}: {problem.place}")


def _put(gateway: GatewaySettings, answer: Answer) -> Iterator[Path]:
    """The statement certificate last: with it the agent takes the body on."""
    for use in sorted(answer.certificates, key=lambda use: use is CertificateUse.STATEMENT):
        file = gateway.files(answer.code, use).certificate
        write_atomically(file, answer.certificates[use].public_bytes(Encoding.PEM))
        yield file


def _render_requests(made: Sequence[Made], folder: Path, console: Console) -> None:
    if not made:
        console.print("Nothing to ask for: every planned body of this gateway has its certificates.")
        return
    for each in made:
        console.print(f"{each.code}  {each.digest.hex()}", markup=False)
    console.print(f"\nSend the {len(made)} files in {folder} to the exchange's operators, and tell them by another way")
    console.print("the SHA-256 of each, above. Next: exchange gateway install ANSWER…, when the answers have come")
