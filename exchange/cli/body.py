"""`exchange body`: how a body gets into the exchange, on its own machine."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console

from exchange import system
from exchange.agent.spool import Spool, origins
from exchange.cli.enrolling import issuers_of, own_key_of, read_answer, read_file
from exchange.cli.findings import render
from exchange.cli.output import Json, Output, shown
from exchange.cli.problems import require_none
from exchange.cli.renew import renew
from exchange.cli.selftest import Selftest
from exchange.cli.token import token
from exchange.domain.directory import Body, CertificateUse
from exchange.domain.entry import own_problems
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ORIGIN_BYTES, digest
from exchange.resources import resource
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.enrolment import encode_request, make_request, uses_of
from exchange.security.enrolment_rules import Applicant, examine_answer
from exchange.security.files import write_atomically
from exchange.security.keys import load_certificate, load_private_key
from exchange.settings.agent import agent_settings
from exchange.settings.body import BodyForm, body_form
from exchange.settings.territory import territory
from exchange.wiring.directory import latest_directory

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Get a body into an exchange: form, request, install, selftest, renew, token.",
)
app.command("renew")(renew)
app.command("token")(token)

FORM = "body.toml"
Form = Annotated[Path, typer.Option("--from", metavar="FILE", help="The filled-in form.")]


@dataclass(frozen=True, slots=True)
class Requested:
    """What `request` made.

    Attributes:
        file: to be sent to the operators.
        digest: its SHA-256, for telling them by another way.
        exchange: id of the exchange that it is for, to be compared with what they told.
        transport_root: SHA-256 of the transport root certificate, as before.
        config: the agent's configuration; None for a body whose letters a gateway carries.
        member: the body's table for the gateway's configuration, empty when it has its own.
        kept: lines of a configuration that was there and stays, where the form would make others: `- there`, `+ made`.
    """

    file: Path
    digest: bytes
    exchange: bytes
    transport_root: bytes
    config: Path | None
    member: str
    kept: tuple[str, ...]


@app.command()
def form() -> None:
    """Print the form to be filled in, with every key explained: exchange body form > body.toml."""
    typer.echo(resource("config", FORM).read_text(encoding="utf-8"), nl=False)


@app.command()
def request(*, form: Form = Path(FORM), json: Json = False) -> None:
    """Make keys, the request for the operators, and the agent's configuration.

    Keys that are there are used again, and so is agent.toml. Nothing is sent; the keys stay on this machine, mode
    0600. Exit code 1 when the form says something that the operators would send back: nothing is made then.
    """
    filled, output = body_form(form), Output(as_json=json)
    require_none(output, list(own_problems(filled.body, territory().names.keys())))
    ca = load_certificate(filled.ca)
    exchange = DirectoryFolder.at(filled.directory, filled.root).exchange
    keys = {use: own_key_of(filled.keys(use)) for use in uses_of(filled.body)}
    now = system.now()
    made = encode_request(make_request(_with_origin(filled, now), exchange, keys, now))
    file = filled.folder / f"{filled.body.code}.request.json"
    config, kept = _configure(filled)
    member = "" if config else filled.member_text()
    write_atomically(file, made)
    done = Requested(file, digest(made), exchange, ca.fingerprint(hashes.SHA256()), config, member, kept)
    output.result(done, lambda console: _render_request(done, filled.body.code, console))


@app.command()
def install(
    answer: Annotated[Path, typer.Argument(metavar="ANSWER", help="The file that the operators sent back.")],
    *,
    form: Form = Path(FORM),
    json: Json = False,
) -> None:
    """Put the certificates of the operators' answer beside the keys, if they fit.

    Each is compared with its key, and with the exchange's roots that were here before. Exit code 1 when one
    does not fit: nothing is installed then.
    """
    filled, output = body_form(form), Output(as_json=json)
    answered = read_answer(answer)
    folder = DirectoryFolder.at(filled.directory, filled.root)
    keys = {use: load_private_key(filled.keys(use).key).public_key() for use in uses_of(filled.body)}
    applicant = Applicant(filled.body.code, folder.exchange, keys, load_certificate(filled.ca), issuers_of(folder))
    require_none(output, examine_answer(answered, applicant, system.now()))
    files = {use: filled.keys(use).certificate for use in answered.certificates}
    for use, file in files.items():
        write_atomically(file, answered.certificates[use].public_bytes(Encoding.PEM))
    output.result({"installed": files}, lambda console: _render_installed(files, console))


@app.command()
def selftest(
    *,
    config: Annotated[Path, typer.Option("--config", help="The agent's configuration.")] = Path("agent.toml"),
    body: Annotated[str, typer.Option("--body", metavar="CODE", help="Which of its bodies; the first.")] = "",
    echo: Annotated[str, typer.Option("--to", metavar="CODE", help="The body that answers.")] = "echo",
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the exchange, and for the echo.")] = 30.0,
    json: Json = False,
) -> None:
    """Send a letter to the exchange's echo and look at each link on its way there and back.

    Exit code 1 when there is a finding; each comes with its next step.
    """
    output = Output(as_json=json)
    settings = agent_settings(config, os.environ)
    bodies = settings.bodies if settings.gateway is None else settings.carried(latest_directory(settings.directory))
    tested = next((each for each in bodies if body in {each.code, ""}), None)
    if tested is None:
        known = ", ".join(each.code for each in bodies)
        raise ConfigurationError(f"{config}: '{body[:63]}' is none of its bodies: {known}", code="body-not-here")
    with output.doing("looking") as tell:
        test = Selftest(config, settings, tested, echo, system.now, wait, tell)
        checks = asyncio.run(test.run())
    whole = not any(check.findings for check in checks)
    output.verdict(checks, lambda console: render(checks, console), ok=whole)


def _with_origin(filled: BodyForm, now: datetime) -> Body:
    """The entry with the origin whose agent owns the inbox (rule 2.7): the first that this spool draws for the body.

    The spool of a body that a gateway carries lies at the gateway, which tells later.
    """
    code = filled.body.code
    if filled.body.gateway:
        return filled.body
    filled.spool.mkdir(parents=True, exist_ok=True)
    with Spool(filled.spool / "spool.sqlite") as spool:
        fresh = system.random_bytes(ORIGIN_BYTES)
        drawn = spool.call(lambda connection: origins.enrol(connection, code, fresh, now))
    return replace(filled.body, inbound_origin=drawn.origin)


def _configure(filled: BodyForm) -> tuple[Path | None, tuple[str, ...]]:
    """Profile, agent's configuration and policy, where there are none yet, and how a configuration there differs.

    A body that a gateway carries has no configuration of its own.
    """
    if filled.edms is not None and not filled.profile.exists():
        shutil.copyfile(filled.edms, filled.profile)
    if filled.body.gateway:
        return None, ()
    config, policy = filled.folder / "agent.toml", filled.folder / "policy.toml"
    if not policy.exists():
        shutil.copyfile(resource("config", "policy.toml"), policy)
    made = filled.agent_text()
    if not config.exists():
        write_atomically(config, made.encode())
    compared = unified_diff(
        read_file(config).decode(errors="replace").splitlines(), made.splitlines(), n=0, lineterm=""
    )
    return config, tuple(line for line in list(compared)[2:] if not line.startswith("@@"))


def _render_request(done: Requested, code: str, console: Console) -> None:
    console.print(f"Send to the exchange's operators: {done.file}")
    console.print(f"and tell them its SHA-256 by another way, by telephone: {done.digest.hex()}\n")
    console.print("Compare with what they told you:")
    console.print(f"  exchange        {done.exchange.hex()}")
    console.print(f"  transport root  {done.transport_root.hex()}\n")
    if done.kept:
        console.print(f"{done.config} was there, and stays; by the form it would be otherwise (-: there, +: made):")
        for line in done.kept:
            console.print(f"  {shown(line)}")
        console.print("Change it by hand, or move it away and say `exchange body request` again\n")
    if done.config is None:
        console.print(f"Put this into the configuration of the gateway's agent once {code} is let in:\n")
        console.print(done.member, markup=False)
    else:
        console.print(f"Next: exchange body install {code}.answer.json, when it has come")
        console.print(f"      exchange agent --config {done.config}, at any time: it waits until {code} is let in")


def _render_installed(files: Mapping[CertificateUse, Path], console: Console) -> None:
    for use, file in files.items():
        console.print(f"[green]✓[/] {use}: {file}")
    console.print("Next: exchange body selftest (start the agent, if it does not run)")
