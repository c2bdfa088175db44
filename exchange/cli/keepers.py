"""What keepers do to the directory: one enters a change, another approves it, the clock puts it in force."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rich.console import Console

from exchange import system
from exchange.cli.exits import Exit
from exchange.cli.output import Json, Output, shown
from exchange.cli.places import Config, config_file
from exchange.domain.directory import Body, BodyStatus, CertificateUse, ListedCertificate
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.security.directory_changes import Edit, edited
from exchange.security.directory_draft import Draft, DraftState
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.directory_publisher import DirectoryPublisher
from exchange.security.files import write_atomically
from exchange.security.keys import load_certificate, load_private_key
from exchange.security.purpose import STATEMENT_USAGE
from exchange.settings import operator_settings

app = typer.Typer()

Codes = Annotated[list[str], typer.Argument(metavar="CODE...", help="Codes of bodies.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="The body's code.")]
Reason = Annotated[str, typer.Option(help="Why, in words; stands in the directory for ever.")]
Keys = Annotated[
    list[Path], typer.Option("--key", help="Your keeper's key; several where one machine has them, for trying out.")
]
Clock = Annotated[Path | None, typer.Option("--clock", help="The clock's key, to put the version in force at once.")]
DraftOut = Annotated[
    Path, typer.Option("--draft", help="Where the draft goes, which another keeper approves.", metavar="FILE")
]
DraftFile = Annotated[Path, typer.Argument(metavar="DRAFT", help="A draft that a keeper entered.")]
DRAFT = Path("draft.json")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an entry before and after, in words; `before` is empty in a new entry."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """An edit in words."""

    code: str
    by: str
    reason: str
    new: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Where a change stands.

    Attributes:
        changes: what changes.
        signed: names of the keepers who signed.
        threshold: so many must.
        version: of the directory, once it is complete; None before.
        in_force: whether the clock's key has signed for it.
        draft: file to be approved; empty once the version is complete.
    """

    changes: tuple[Proposed, ...]
    signed: tuple[str, ...]
    threshold: int
    version: int | None = None
    in_force: bool = False
    draft: str = ""


@app.command()
def suspend(
    codes: Codes,
    *,
    reason: Reason,
    key: Keys,
    clock: Clock = None,
    draft: DraftOut = DRAFT,
    config: Config = None,
    json: Json = False,
) -> None:
    """Cut bodies off: what they send is held back, nothing more is accepted for them; `resume` undoes it."""
    _move(codes, BodyStatus.SUSPENDED, reason, Desk(config, key, clock, draft), json=json)


@app.command()
def resume(
    codes: Codes,
    *,
    reason: Reason,
    key: Keys,
    clock: Clock = None,
    draft: DraftOut = DRAFT,
    config: Config = None,
    json: Json = False,
) -> None:
    """Connect bodies that were tested, or suspended."""
    _move(codes, BodyStatus.CONNECTED, reason, Desk(config, key, clock, draft), json=json)


@app.command()
def leave(
    codes: Codes,
    *,
    reason: Reason,
    key: Keys,
    clock: Clock = None,
    draft: DraftOut = DRAFT,
    config: Config = None,
    json: Json = False,
) -> None:
    """Let bodies go for ever; their entries stay, so that what they said can be verified."""
    _move(codes, BodyStatus.LEFT, reason, Desk(config, key, clock, draft), json=json)


@app.command()
def certify(
    code: Code,
    certificate: Annotated[Path, typer.Argument(help="The certificate (PEM).")],
    *,
    reason: Reason,
    key: Keys,
    clock: Clock = None,
    draft: DraftOut = DRAFT,
    config: Config = None,
    json: Json = False,
) -> None:
    """List one more certificate of a body, beside those that it has; what it is for, it says itself."""
    loaded = load_certificate(certificate)
    listed = ListedCertificate(loaded.public_bytes(Encoding.DER), _use(loaded))

    def change(body: Body) -> Body:
        return replace(body, certificates=(*body.certificates, listed))

    _change([code], change, reason, Desk(config, key, clock, draft), json=json)


@app.command()
def revoke(
    code: Code,
    certificate: Annotated[str, typer.Argument(help="Beginning of its SHA-256, as `exchange directory show` has it.")],
    *,
    reason: Reason,
    key: Keys,
    clock: Clock = None,
    draft: DraftOut = DRAFT,
    config: Config = None,
    json: Json = False,
) -> None:
    """Let a certificate of a body speak no more from now on; what it signed before stays valid."""

    def change(body: Body) -> Body:
        found = [each for each in body.certificates if digest(each.der).hex().startswith(certificate.lower())]
        if len(found) != 1 or found[0].revoked is not None:
            message = f"{code} has no one certificate {certificate[:64]} in use: see `exchange directory show {code}`"
            raise ConfigurationError(message, code="certificate-not-listed")
        revoked = replace(found[0], revoked=system.now())
        return replace(body, certificates=tuple(revoked if each is found[0] else each for each in body.certificates))

    _change([code], change, reason, Desk(config, key, clock, draft), json=json)


@app.command()
def renew(
    *,
    key: Keys,
    clock: Clock = None,
    draft: DraftOut = DRAFT,
    config: Config = None,
    json: Json = False,
) -> None:
    """Sign the newest version again under a new root, with no change in it."""
    _change([], lambda body: body, "", Desk(config, key, clock, draft), json=json)


@app.command(name="draft")
def show_draft(file: DraftFile, *, config: Config = None, json: Json = False) -> None:
    """Show what a draft would change, and who has signed it. Exit code 1 while too few have."""
    state = DirectoryPublisher(_folder(config)).look(_read_draft(file))
    done = _done(state, draft=str(file))
    Output(as_json=json).result(done, lambda console: _render(done, console), ok=state.complete)
    if not state.complete:
        raise typer.Exit(Exit.FOUND)


@app.command()
def approve(file: DraftFile, *, key: Keys, clock: Clock = None, config: Config = None, json: Json = False) -> None:
    """Approve what another keeper entered; look at it with `exchange directory draft` first."""
    desk = Desk(config, key, clock, file)
    _tell(desk.approve(_read_draft(file), key), json=json)


@app.command()
def stamp(
    *,
    key: Annotated[Path, typer.Option("--key", help="The clock's key.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Say for another day that the newest complete version is the newest: for a timer, at least daily."""
    folder = _folder(config)
    version = DirectoryPublisher(folder).stamp(load_private_key(key), system.now()).version
    found = Stamped(version, folder.newest().number)
    words = f"version {found.version} is in force, by timestamp {found.timestamp}"
    Output(as_json=json).result(found, lambda console: console.print(words))


@dataclass(frozen=True, slots=True)
class Stamped:
    """A timestamp: its own number, and the version that it puts in force."""

    version: int
    timestamp: int


class Desk:
    """Where a keeper works: the directory's folder, keys, and the draft's file."""

    def __init__(self, config: Path | None, keys: list[Path], clock: Path | None, file: Path) -> None:
        """Nothing is read yet but the settings."""
        self._folder = _folder(config)
        self._publisher = DirectoryPublisher(self._folder)
        self._keys = keys
        self._clock = clock
        self._file = file

    def enter(self, change: Callable[[Body], Body], codes: Iterable[str], reason: str) -> Done:
        """Enter a change of bodies; approve it, too, as far as there are keys.

        Raises:
            ConfigurationError: `body-unknown`; `draft-exists`.
            DirectoryRefused: as `DirectoryPublisher.draft` and `approve`.
        """
        head = self._folder.head()
        bodies = {} if head is None else dict(head.bodies)
        entries = {} if head is None else head.entries
        key, at = load_private_key(self._keys[0]), system.now()
        by = self._publisher.name_of(key)
        for code in dict.fromkeys(codes):
            before = bodies.get(code)
            if before is None:
                message = f"the directory lists no body '{code[:63]}': look it up with `exchange directory search`"
                raise ConfigurationError(message, code="body-unknown")
            bodies[code] = edited(before, entries.get(code, ZERO_DIGEST), change(before), by, reason, at)
        return self.approve(self._publisher.draft(bodies, key, at), self._keys[1:])

    def approve(self, draft: Draft, keys: Iterable[Path]) -> Done:
        """Sign a draft with each key; write the version when that completes it, else the draft's file.

        Raises:
            DirectoryRefused: as `DirectoryPublisher.approve` and `stamp`.
        """
        state, version = self._publisher.look(draft), None
        for path in keys:
            draft, version = self._publisher.approve(draft, load_private_key(path), system.now())
            if version is None:
                state = self._publisher.look(draft)
        if version is None:
            write_atomically(self._file, draft.encode())
            return _done(state, draft=str(self._file))
        if self._clock is not None:
            self._publisher.stamp(load_private_key(self._clock), system.now())
        done = _done(state, draft="")
        signed = tuple(sorted({*done.signed, *(self._publisher.name_of(load_private_key(path)) for path in keys)}))
        return replace(done, signed=signed, version=version.version, in_force=self._clock is not None)


def _move(codes: list[str], status: BodyStatus, reason: str, desk: Desk, *, json: bool) -> None:
    _change(codes, lambda body: replace(body, status=status), reason, desk, json=json)


def _change(codes: list[str], change: Callable[[Body], Body], reason: str, desk: Desk, *, json: bool) -> None:
    _tell(desk.enter(change, codes, reason), json=json)


def _folder(config: Path | None) -> DirectoryFolder:
    settings = operator_settings(config_file(config, "operator", os.environ), os.environ).directory
    return DirectoryFolder.at(settings.folder, settings.root)


def _use(certificate: x509.Certificate) -> CertificateUse:
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    return CertificateUse.STATEMENT if STATEMENT_USAGE in usages else CertificateUse.TRANSPORT


def _read_draft(file: Path) -> Draft:
    try:
        return Draft.decode(file.read_bytes())
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name the draft that a keeper handed over"
        raise ConfigurationError(message, code="draft-missing") from error


def _done(state: DraftState, draft: str) -> Done:
    return Done(tuple(map(_proposed, state.edits)), state.keepers, state.threshold, draft=draft)


def _proposed(edit: Edit) -> Proposed:
    change = edit.after.change
    by, reason = ("", "") if change is None else (change.by, change.reason)
    differences = tuple(
        Difference(field.name, "" if edit.before is None else _worded(before), _worded(after))
        for field in fields(Body)
        if field.name != "change"
        and (before := getattr(edit.before, field.name, None)) != (after := getattr(edit.after, field.name))
    )
    return Proposed(edit.after.code, by, reason, edit.before is None, differences)


def _worded(value: object) -> str:
    """A field's value for people; of certificates who, until when, and the SHA-256."""
    if isinstance(value, tuple):
        return ", ".join(map(_worded, value)) or "nothing"
    if isinstance(value, ListedCertificate):
        certificate = x509.load_der_x509_certificate(value.der)
        until = f"revoked {value.revoked:%Y-%m-%d %H:%M} UTC" if value.revoked else "not revoked"
        subject = certificate.subject.rfc4514_string()
        return f"{value.use} {subject} to {certificate.not_valid_after_utc:%Y-%m-%d} {digest(value.der).hex()} {until}"
    return value.hex() if isinstance(value, bytes) else str(value)


def _tell(done: Done, *, json: bool) -> None:
    Output(as_json=json).result(done, lambda console: _render(done, console))


def _render(done: Done, console: Console) -> None:
    for each in done.changes:
        console.print(f"{each.code}{' (new)' if each.new else ''}, by {shown(each.by)}: {shown(each.reason)}")
        for difference in each.differences:
            before = f"{shown(difference.before)} → " if difference.before else ""
            console.print(f"  {difference.field}: {before}{shown(difference.after)}")
    console.print(f"signed by {shown(', '.join(done.signed))}; {done.threshold} must sign")
    if done.version is None:
        file = shown(done.draft)
        console.print(f"Next: another keeper: exchange directory draft {file}, then approve {file} --key …")
    elif done.in_force:
        console.print(f"version {done.version} is in force")
    else:
        console.print(f"version {done.version} is complete; the clock puts it in force: exchange directory stamp")
