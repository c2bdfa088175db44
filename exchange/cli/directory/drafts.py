"""Where a keeper works: entering and approving drafts, and telling what they change."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

from cryptography import x509
from rich.console import Console

from exchange import system
from exchange.cli.output import Output, shown
from exchange.cli.own_keys import own_key
from exchange.cli.places import config_file
from exchange.domain.directory import Body, Directory, ListedCertificate
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.security.directory.changes import Edit, edited
from exchange.security.directory.draft import Draft, DraftState
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher
from exchange.security.files import write_atomically
from exchange.settings import operator_settings


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
        issuers: who shall issue statement certificates from then on, in words; None when that stays.
        signed: names of the keepers who signed.
        threshold: so many must.
        version: of the directory, once it is complete; None before.
        in_force: whether the clock's key has signed for it.
        draft: file to be approved; empty once the version is complete.
        answer: file for a body that is let in; empty when none is.
    """

    changes: tuple[Proposed, ...]
    issuers: tuple[str, ...] | None
    signed: tuple[str, ...]
    threshold: int
    version: int | None = None
    in_force: bool = False
    draft: str = ""
    answer: str = ""


class Desk:
    """Where a keeper works: the directory's folder, keys, the draft's file, and how results are told."""

    def __init__(self, config: Path | None, keys: list[Path], clock: Path | None, file: Path, output: Output) -> None:
        """Nothing is read yet but the settings."""
        self.output = output
        self._folder = folder_of(config)
        self._publisher = DirectoryPublisher(self._folder)
        self._keys = keys
        self._clock = clock
        self._file = file
        self._own = cache(own_key)  # nobody is asked twice for one passphrase

    def enter(self, change: Callable[[Directory], Directory]) -> Done:
        """Enter a change of the newest version; approve it, too, as far as there are keys.

        Raises:
            DirectoryRefused: as `DirectoryPublisher.draft` and `approve`.
        """
        if self._file.exists():
            message = f"{self._file} has a draft already: have it approved, remove it, or name another with --draft"
            raise ConfigurationError(message, code="draft-exists")
        draft = self._publisher.draft(change(self._publisher.head()), self._own(self._keys[0]), system.now())
        return self.approve(draft, self._keys[1:])

    def enter_bodies(self, codes: Iterable[str], change: Callable[[Body], Body], reason: str) -> Done:
        """Enter a change of listed bodies.

        Raises:
            ConfigurationError: `body-unknown`.
            DirectoryRefused: as `enter`.
        """
        return self.enter_entries(lambda head: [change(_listed(head, code)) for code in dict.fromkeys(codes)], reason)

    def enter_entries(self, entries: Callable[[Directory], Iterable[Body]], reason: str) -> Done:
        """Enter entries as they shall be, of bodies that are listed or new.

        Raises:
            DirectoryRefused: as `enter`.
        """
        by, at = self._publisher.name_of(self._own(self._keys[0])), system.now()

        def changed(head: Directory) -> Directory:
            bodies = dict(head.bodies)
            for entry in entries(head):
                before, digest_before = bodies.get(entry.code), head.entries.get(entry.code, ZERO_DIGEST)
                if entry != before:
                    bodies[entry.code] = edited(before, digest_before, entry, by, reason, at)
            return replace(head, bodies=bodies)

        return self.enter(changed)

    def require_listed(self, code: str) -> None:
        """Make sure that the newest version lists a body.

        Raises:
            ConfigurationError: `body-unknown`.
        """
        _listed(self._publisher.head(), code)

    def approve(self, draft: Draft, keys: Iterable[Path]) -> Done:
        """Sign a draft with each key; write the version when that completes it, else the draft's file.

        Raises:
            DirectoryRefused: as `DirectoryPublisher.approve` and `stamp`.
        """
        if self._clock is not None:
            self._publisher.require_clock(self._own(self._clock))
        state, version = self._publisher.look(draft), None
        for path in keys:
            draft, version = self._publisher.approve(draft, self._own(path), system.now())
            if version is None:
                state = self._publisher.look(draft)
        if version is None:
            write_atomically(self._file, draft.encode())
            return done_of(state, draft=str(self._file))
        if self._clock is not None:
            self._publisher.stamp(self._own(self._clock), system.now())
        done = done_of(state, draft="")
        signed = tuple(sorted({*done.signed, *(self._publisher.name_of(self._own(path)) for path in keys)}))
        return replace(done, signed=signed, version=version.version, in_force=self._clock is not None)


def _listed(head: Directory, code: str) -> Body:
    body = head.bodies.get(code)
    if body is None:
        message = f"the directory lists no body '{code[:63]}': look it up: exchange directory search"
        raise ConfigurationError(message, code="body-unknown")
    return body


def folder_of(config: Path | None) -> DirectoryFolder:
    """The directory that an operator's configuration names."""
    settings = operator_settings(config_file(config, "operator", os.environ), os.environ).directory
    return DirectoryFolder.at(settings.folder, settings.root)


def read_draft(file: Path) -> Draft:
    """A draft that somebody handed over.

    Raises:
        ConfigurationError: `draft-missing`.
        DirectoryRefused: `draft-unreadable`.
    """
    try:
        return Draft.decode(file.read_bytes())
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name the draft that a keeper handed over"
        raise ConfigurationError(message, code="draft-missing") from error


def done_of(state: DraftState, draft: str) -> Done:
    """Where a draft stands, in words; `draft` is its file, empty once the version is complete."""
    issuers = None if state.issuers is None else tuple(map(_certificate, state.issuers))
    return Done(tuple(map(_proposed, state.edits)), issuers, state.keepers, state.threshold, draft=draft)


def _certificate(der: bytes) -> str:
    certificate = x509.load_der_x509_certificate(der)
    subject, until = certificate.subject.rfc4514_string(), certificate.not_valid_after_utc
    return f"{subject} to {until:%Y-%m-%d} {digest(der).hex()}"


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
        until = f"revoked {value.revoked:%Y-%m-%d %H:%M} UTC" if value.revoked else "not revoked"
        return f"{value.use} {_certificate(value.der)} {until}"
    return value.hex() if isinstance(value, bytes) else str(value)


def render(done: Done, console: Console) -> None:
    """Print where a change stands, field by field, for people."""
    for each in done.changes:
        console.print(f"{each.code}{' (new)' if each.new else ''}, by {shown(each.by)}: {shown(each.reason)}")
        for difference in each.differences:
            before = f"{shown(difference.before)} → " if difference.before else ""
            console.print(f"  {difference.field}: {before}{shown(difference.after)}")
    for issuer in done.issuers or ():
        console.print(f"issues statement certificates: {shown(issuer)}")
    if done.answer:
        console.print(f"for the body, once it is let in: {shown(done.answer)}")
    console.print(f"signed by {shown(', '.join(done.signed))}; {done.threshold} must sign")
    if done.version is None:
        file = shown(done.draft)
        console.print(f"Next: another keeper: exchange directory draft {file}, then approve {file} --key …")
    elif done.in_force:
        console.print(f"version {done.version} is in force")
    else:
        how = "the directory's service puts it in force, or: exchange directory stamp"
        console.print(f"version {done.version} is complete; {how}")
