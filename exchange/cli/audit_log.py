"""`exchange audit verify`, `prove`, `compare`: what an auditor does with the archive's logs."""

import os
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from exchange.archive.access import open_archive
from exchange.cli.audit_acts import NotJournalled, Reason, about_to, journalled
from exchange.cli.letter_ids import instant, letter_digest
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, as_auditor
from exchange.console.api.audits_model import AuditKind
from exchange.domain.errors import ConfigurationError
from exchange.security.directory.folder import read_root
from exchange.security.log_keys import read_log_policy
from exchange.services.audit.compare import Compared, compare
from exchange.services.audit.crew import Crew, check_here
from exchange.services.audit.findings import Verified, text_of
from exchange.services.audit.material import Opening
from exchange.services.audit.prove import FILE_BYTES, Shown, Spot, check, prove
from exchange.services.audit.service import verify
from exchange.settings import AuditorSettings
from exchange.settings.tables import LogSettings
from exchange.tlog.proof import TITLE, Proof

CheckpointFile = Annotated[Path, typer.Argument(help="A file with a signed checkpoint, or a proof.")]


def verify_log(  # noqa: PLR0913 - an option for each bound of what is verified
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Only what came to the log since; with its zone.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="INSTANT", help="Only what came to the log until then.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="A file to go on from, and to write how far it came.")
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=256, help="How many verify at once. Default: one for each core.")
    ] = os.cpu_count() or 1,
    contents: Annotated[
        bool, typer.Option("--contents/--no-contents", help="Compare what people wrote with its commitments.")
    ] = True,
    reason: Reason = "",
    unkept: NotJournalled = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Verify the archive's log: its checkpoint, trees, signatures, verdicts and chains.

    Only reads. Exit code 1 when anything is found; each finding names file and entry.
    """
    output = Output(as_json=json)
    settings, log = log_settings(config)
    policy = read_log_policy(log.policy)
    opening = Opening(log.place, settings.directory.folder, read_root(settings.directory.root), contents)
    begin, end = (
        None if given is None else instant(given, option) for given, option in ((since, "--from"), (until, "--to"))
    )
    said = about_to(AuditKind.VERIFY, _span(begin, end, contents=contents), reason)
    with journalled(settings, said, output, skip=unkept) as outcome, ExitStack() as stack:
        tell = stack.enter_context(output.doing("verifying the log"))
        crew = check_here(opening) if processes == 1 else stack.enter_context(Crew(opening, processes))
        report = verify(
            opening,
            policy,
            crew,
            since=begin,
            until=end,
            state=state,
            on_progress=lambda done, of: tell(f"verifying: {done} of {of} entries"),
        )
        outcome.found(report.summary, sound=report.sound)
    output.verdict(report, lambda console: render_verified(report, console), ok=report.sound)


def prove_letter(
    letter: Annotated[
        str | None,
        typer.Argument(help="The letter's id; its beginning is enough where a tracker knows it.", show_default=False),
    ] = None,
    *,
    folder: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where entries and proofs go.")
    ] = None,
    checked: Annotated[
        Path | None, typer.Option("--check", metavar="DIR", help="Verify entries and proofs that were written there.")
    ] = None,
    reason: Reason = "",
    unkept: NotJournalled = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write every entry of the log about a letter with its inclusion proof, or verify such files, offline."""
    output = Output(as_json=json)
    settings, log = log_settings(config)
    policy = read_log_policy(log.policy)
    if checked is not None:
        said = about_to(AuditKind.PROVE, "entries and proofs that were written before", reason)
        with journalled(settings, said, output, skip=unkept) as outcome:
            found = check(checked, policy)
            outcome.found(f"{len(found)} entries proven", sound=_is_sound(found))
    elif letter is None or folder is None:
        message = "name a letter and --output, or --check and the folder that was written"
        raise ConfigurationError(message, code="audit-prove-usage")
    else:
        digest = letter_digest(letter, settings.store)
        said = about_to(AuditKind.PROVE, "every entry about the letter", reason, digest)
        with journalled(settings, said, output, skip=unkept) as outcome:
            with open_archive(log.place) as archive:
                spots = [Spot(place.partition, place.index) for place in archive.places(digest)]
                found = prove(archive.log, digest, spots, policy, folder)
            outcome.found(f"{len(found)} entries proven", sound=_is_sound(found))
    sound = _is_sound(found)
    output.verdict(found, lambda console: _list(found, console), ok=sound)


def compare_checkpoints(
    first: CheckpointFile,
    second: CheckpointFile,
    *,
    reason: Reason = "",
    unkept: NotJournalled = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Compare two signed checkpoints: whether the log only grew from one to the other.

    Exit code 1 when they contradict one another; then both files are the proof.
    """
    output = Output(as_json=json)
    settings, log = log_settings(config)
    said = about_to(AuditKind.COMPARE, f"{first.name} and {second.name}", reason)
    with journalled(settings, said, output, skip=unkept) as outcome:
        with open_archive(log.place) as archive:
            found = compare(archive.log, read_log_policy(log.policy), _read(first), _read(second))
        older, newer = found.older.checkpoint, found.newer.checkpoint
        outcome.found(f"{older.size} heads, then {newer.size}", sound=found.consistent)
    output.verdict(found, lambda console: _show(found, (first, second), console), ok=found.consistent)


def log_settings(config: Path | None) -> tuple[AuditorSettings, LogSettings]:
    """An auditor's settings, and where the archive's log is.

    Raises:
        ConfigurationError: `archive-not-named`; the file cannot be read.
    """
    settings = as_auditor(config)
    return settings, log_of(settings)


def log_of(settings: AuditorSettings) -> LogSettings:
    """Where the archive's log is.

    Raises:
        ConfigurationError: `archive-not-named`.
    """
    if settings.log is None:
        message = "the auditor's file has no [archive]: give it `folder` or `url`, and [log] with `policy`"
        raise ConfigurationError(message, code="archive-not-named")
    return settings.log


def _span(since: datetime | None, until: datetime | None, *, contents: bool) -> str:
    """What of the log is verified, in words."""
    begin, end = ("" if at is None else f" {word} {at.isoformat()}" for word, at in (("from", since), ("to", until)))
    return f"the log{begin}{end}{'' if contents else ', without contents'}"


def _is_sound(found: list[Shown]) -> bool:
    return all(each.witnessed for each in found)


def _read(file: Path) -> bytes:
    """A signed checkpoint, which may be that of a proof."""
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES)
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name a file with a signed checkpoint"
        raise ConfigurationError(message, code="checkpoint-missing") from error
    return Proof.parse(data).checkpoint if data.startswith(TITLE.encode()) else data


def render_verified(report: Verified, console: Console) -> None:
    """What a verification saw."""
    seen = f"{report.witnesses} witnesses" if report.witnessed else f"[red]{report.witnesses} witnesses: too few[/]"
    console.print(f"{shown(report.log)}: {report.entries} entries under {report.heads} heads, {seen}")
    for reason, count in sorted(report.decisions.items()):
        console.print(f"  {count} {'accepted' if not reason else f'refused: {reason}'}")
    console.print(f"  contents: {report.kept} kept and compared, {report.deleted} deleted by order")
    if report.unjudged:
        console.print(f"  {report.unjudged} verdicts judged in part: contents or policy are not at hand")
    for wrong in report.findings:
        place = wrong.file if wrong.index < 0 else f"{wrong.file}, entry {wrong.index}"
        console.print(f"[red]{wrong.code}[/]: {text_of(wrong.code)}\n  {place}: {shown(wrong.detail)}")
    if sum(report.found.values()) > len(report.findings):
        console.print(f"  … {sum(report.found.values())} in all")
    if report.sound:
        console.print("[green]everything holds[/]: checkpoint, trees, signatures, verdicts, chains")


def _list(found: list[Shown], console: Console) -> None:
    for each in found:
        verdict = f"refused: {each.reason}" if each.reason else "accepted"
        seen = f"{each.witnesses} witnesses" if each.witnessed else f"[red]{each.witnesses} witnesses: too few[/]"
        place = f"journal/{each.partition} entry {each.index}"
        console.print(f"[green]in the log[/] {each.name}: {verdict} {each.decided.isoformat()}, {place}, {seen}")


def _show(found: Compared, files: tuple[Path, Path], console: Console) -> None:
    older, newer = found.older.checkpoint, found.newer.checkpoint
    console.print(f"{shown(newer.origin)}: {older.size} heads, then {newer.size}; {found.logs} partitions compared")
    for contradiction in found.contradictions:
        console.print(f"[red]contradiction[/]: {contradiction}")
    if found.consistent:
        console.print("[green]consistent[/]: the log only grew")
    else:
        console.print(f"both are signed by the log's key: keep {files[0]} and {files[1]}, they are the proof")
