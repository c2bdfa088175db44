"""`exchange audit`: what an auditor does, with the journal here and with the archive's logs in `audit_log`."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange.bus.connection import KafkaSettings
from exchange.bus.reader import PositionedReader
from exchange.cli.audit_acts import NotJournalled, Reason, about_to, journalled
from exchange.cli.audit_log import compare_checkpoints, log_of, prove_letter, verify_log
from exchange.cli.audit_replay import render_deliveries, render_log, replay_log
from exchange.cli.audit_times import check_times
from exchange.cli.letter_ids import instant, letter_digest
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_auditor
from exchange.cli.words import short
from exchange.console.api.audits_model import AuditKind
from exchange.journal.findings import FINDING_TEXTS, FindingCode
from exchange.security.directory.folder import DirectoryFolder, read_root
from exchange.security.log_keys import read_log_policy
from exchange.services.evidence.archived import find_archived
from exchange.services.evidence.journalled import Evidence, find_evidence, openssl_command, write_evidence
from exchange.services.replay import Asked, Audit, Progress, audit
from exchange.settings import AuditorSettings
from exchange.store.database import Store
from exchange.wiring.directory import latest_directory

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Verify log and journal; take a letter's evidence out of them."
)
app.command("verify")(verify_log)
app.command("prove")(prove_letter)
app.command("compare")(compare_checkpoints)
app.command("times")(check_times)


@app.command()
def replay(
    *,
    alone: Annotated[bool, typer.Option("--alone", help="Do not compare with the tracker's database.")] = False,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="As of then, by the journal's own time; with its zone."),
    ] = None,
    body: Annotated[str, typer.Option("--body", metavar="CODE", help="List what this body sent and received.")] = "",
    reason: Reason = "",
    unkept: NotJournalled = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Read the whole journal, check every signature and decision again, compare with the tracker.

    With --at the states are those of that instant, and no tracker is compared. Its Kafka principal can write
    nowhere. Where the file names no [kafka], the archive's log is read, and no tracker is compared. Exit code 1 when
    anything is found.
    """
    output = Output(as_json=json)
    settings = as_auditor(config)
    asked = Asked(None if at is None else instant(at, "--at"), body)
    said = about_to(AuditKind.REPLAY, _span(asked), reason)
    with journalled(settings, said, output, skip=unkept) as outcome, output.doing("replaying the journal") as tell:
        if settings.kafka is None:
            read = replay_log(settings, tell, asked.at, asked.body)
            outcome.found(read.verified.summary, sound=read.sound)
            show = partial(output.verdict, read, partial(render_log, read), ok=read.sound)
        else:
            found = asyncio.run(_replay(settings, settings.kafka, partial(_tell, tell), asked, alone=alone))
            outcome.found(_outcome(found), sound=found.sound)
            show = partial(output.verdict, found, partial(_render, found), ok=found.sound)
    show()


@app.command()
def export(
    letter: Annotated[str, typer.Argument(help="The letter's id; its beginning is enough where a tracker knows it.")],
    *,
    folder: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the files go.")],
    reason: Reason = "",
    unkept: NotJournalled = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write a letter's statement, signature, certificates and decision, and the openssl command that checks them."""
    output = Output(as_json=json)
    settings = as_auditor(config)
    digest = letter_digest(letter, settings.store)
    said = about_to(AuditKind.EXPORT, "statement, signature, certificates and decision", reason, digest)
    with journalled(settings, said, output, skip=unkept) as outcome, output.doing("reading the journal"):
        directory = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
        write_evidence(_evidence(settings, digest, directory), folder, directory)
        outcome.made("written")
    command = openssl_command(folder)
    output.result(
        {"letter": digest, "folder": folder, "openssl": command},
        lambda console: console.print(f"letter {digest.hex()}\nwritten to {folder}; to check it:\n  {shown(command)}"),
    )


def _tell(tell: Callable[[str], None], done: int, of: int) -> None:
    tell(f"replaying: {done} of {of} offsets")


async def _replay(
    settings: AuditorSettings, kafka: KafkaSettings, tell: Progress, asked: Asked, *, alone: bool
) -> Audit:
    root = read_root(settings.directory.root)
    partitions = latest_directory(settings.directory).journal_partitions
    reader = partial(PositionedReader, kafka, fetch_wait_seconds=0.5)
    if alone or asked.at is not None or not settings.store:
        return await audit(reader, partitions, root, None, tell, asked)
    with Store(settings.store) as store:
        return await audit(reader, partitions, root, store, tell, asked)


def _evidence(settings: AuditorSettings, digest: bytes, directory: DirectoryFolder) -> Evidence:
    """Out of the journal; where no Kafka is named, out of the archive's log."""
    if settings.kafka is not None:
        return asyncio.run(find_evidence(settings.kafka, [digest], directory.latest().journal_partitions))[digest]
    log = log_of(settings)
    return find_archived(log.place, digest, read_log_policy(log.policy))


def _span(asked: Asked) -> str:
    """What of the journal is replayed, in words."""
    then = "" if asked.at is None else f" as of {asked.at.isoformat()}"
    return f"the whole journal{then}{f', body {asked.body}' if asked.body else ''}"


def _outcome(found: Audit) -> str:
    """What came of a replay, for the journal."""
    differences = f", {len(found.differences)} differences of the tracker" if found.differences else ""
    return f"{found.report.summary}{differences}"


def _render(found: Audit, console: Console) -> None:
    report = found.report
    console.print(f"{report.records} records, {sum(report.decisions.values())} decisions, {len(report.lanes)} lanes")
    for reason, count in sorted(report.decisions.items()):
        console.print(f"  {count} {'accepted' if not reason else f'refused: {reason}'}")
    for code, count in sorted(report.found.items()):
        console.print(f"[red]{count} × {code}[/]: {FINDING_TEXTS[FindingCode(code)]}")
    for finding in report.findings:
        place = f"{finding.position.partition}/{finding.position.offset}"
        console.print(f"  at {place}, lane {finding.lane} number {finding.number}: {shown(finding.detail)}")
    for state, count in sorted(report.states.items()):
        console.print(f"  {count} {state}")
    render_deliveries(found.deliveries, console)
    if found.differences is None:
        console.print("not compared with a tracker")
    for difference in found.differences or ():
        fields = ", ".join(difference.fields)
        console.print(f"[red]the tracker differs[/] on {short(difference.letter)} to {difference.recipient}: {fields}")
    if found.sound:
        states = "" if found.differences is None else ", and the tracker's states"
        console.print(f"[green]everything holds[/]: signatures, verdicts, chains{states}")
