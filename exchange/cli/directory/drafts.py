"""Where a keeper works: entering and approving drafts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from cryptography import x509

from exchange import system
from exchange.cli.directory.standing import Done, done_of
from exchange.cli.output import Output
from exchange.cli.own_keys import own_key
from exchange.cli.places import as_operator
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.directory.changes import Edit, edited
from exchange.security.directory.draft import Draft
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher
from exchange.security.enrolment import answer_of, encode_answer
from exchange.security.enrolment_rules import BEFORE_GRANT
from exchange.security.errors import DirectoryRefused
from exchange.security.files import write_atomically
from exchange.security.keys import load_certificates
from exchange.settings import OperatorSettings


class Desk:
    """Where a keeper works: the directory's folder, keys, the draft's file, and how results are told."""

    def __init__(self, config: Path | None, keys: list[Path], clock: Path | None, file: Path, output: Output) -> None:
        """Nothing is read yet but the settings."""
        self.output = output
        self._settings = as_operator(config)
        self._publisher = DirectoryPublisher(_folder(self._settings))
        self._keys = keys
        self._clock = clock
        self._file = file
        self._own = cache(own_key)  # nobody is asked twice for one passphrase

    def enter(self, change: Callable[[Directory], Directory]) -> Done:
        """Enter a change of the newest version; approve it, too, as far as there are keys.

        Raises:
            DirectoryRefused: as `DirectoryPublisher.draft` and `approve`.
        """
        if self._file.exists() and not self._is_in_force():
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
        return self.enter_entries(
            lambda head: [change(listed_body(head, code)) for code in dict.fromkeys(codes)], reason
        )

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

    def issuers(self, use: CertificateUse, head: Directory) -> list[x509.Certificate]:
        """Who may issue certificates of a use: of transport, those whom this machine trusts as brokers do.

        Raises:
            KeyRefused: as `load_certificates`.
        """
        if use is CertificateUse.TRANSPORT:
            return load_certificates(self._settings.kafka.ca)
        return list(map(x509.load_der_x509_certificate, head.issuers))

    def require_listed(self, code: str) -> None:
        """Make sure that the newest version lists a body.

        Raises:
            ConfigurationError: `body-unknown`.
        """
        listed_body(self._publisher.head(), code)

    def look(self, draft: Draft) -> Done:
        """What a draft changes, and who has signed it.

        Raises:
            DirectoryRefused: as `DirectoryPublisher.look`.
        """
        return done_of(self._publisher.look(draft), draft=str(self._file))

    def approve(self, draft: Draft, keys: Iterable[Path]) -> Done:
        """Sign a draft with each key; write the version when that completes it, else the draft's file.

        With the version the answers for bodies are written that it lets in.

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
        answers = tuple(self._answers(state.edits, version.exchange))
        if self._clock is not None:
            self._publisher.stamp(self._own(self._clock), system.now())
        done = done_of(state, draft="")
        signed = tuple(sorted({*done.signed, *(self._publisher.name_of(self._own(path)) for path in keys)}))
        in_force = self._clock is not None
        return replace(done, signed=signed, version=version.version, in_force=in_force, answers=answers)

    def _is_in_force(self) -> bool:
        """Whether the draft in the file was approved: nobody needs the file any more."""
        try:
            self._publisher.look(read_draft(self._file))
        except DirectoryRefused as refused:
            return refused.code == "draft-in-force"
        return False

    def _answers(self, edits: Iterable[Edit], exchange: bytes) -> Iterator[str]:
        """Write the answer for each body that edits let in, beside the draft: only what was approved goes out."""
        for edit in edits:
            asked = edit.before is None or edit.before.status in BEFORE_GRANT
            if asked and edit.after.status is BodyStatus.TESTING:
                file = self._file.with_name(f"{edit.after.code}.answer.json")
                write_atomically(file, encode_answer(answer_of(exchange, edit.after)))
                yield str(file)


def listed_body(head: Directory, code: str) -> Body:
    """The entry of a body that is listed.

    Raises:
        ConfigurationError: `body-unknown`.
    """
    body = head.bodies.get(code)
    if body is None:
        message = f"the directory lists no body '{code[:63]}': look it up: exchange directory search"
        raise ConfigurationError(message, code="body-unknown")
    return body


def folder_of(config: Path | None) -> DirectoryFolder:
    """The directory that an operator's configuration names."""
    return _folder(as_operator(config))


def _folder(settings: OperatorSettings) -> DirectoryFolder:
    return DirectoryFolder.at(settings.directory.folder, settings.directory.root)


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
