"""The folder connector: packages as folders (or lone files) that both sides see.

    out/          the EDMS puts packages here
    in/           we show packages here, each by one rename
    sent/<day>/   taken packages, by the day on which the EDMS wrote them
    quarantine/   <name>/problem.txt and <name>/<the package as it was>
    .staging/     packages that are durable but not shown yet

A package in `out/` is taken only when it is complete:

- its name is none of those that writers use for what they have not finished (`packages.is_unfinished`:
  write under such a name, then rename), and no file in it has one;
- there is no lock: neither `<name>.lock` beside it nor `.lock` in it;
- it says so (`<name>.done` beside it or `.done` in it), or names, sizes and times of all its files
  are what they were when `collect` looked before.

Nothing of the EDMS is ever deleted. A round costs the same however many packages wait (`backlog`).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from adapters.connectors.backlog import Backlog
from adapters.connectors.durable import ConnectorError, connector_errors, free_path, make_folder, move, write_file
from adapters.connectors.packages import DONE, LOCK, Look, is_unfinished, look_again, look_at, read_files
from adapters.connectors.staging import Staging
from adapters.formats.files import check_name
from adapters.ports import ConnectorPlugin, Options
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError, ExchangeError

LONE_FILES = ("xml", "json")
"""Extensions of files that are a package of their own, where nothing else is said."""


class FolderOptions(Options, frozen=True):
    """Where the folder is, and what may lie in it."""

    path: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="Shared with the document system; relative to the profile, {body} is the body's code",
        ),
    ]
    lone_files: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern="^[a-z0-9]{1,16}$")], ...],
        msgspec.Meta(description="Extensions of files that are a package of their own when they lie in out/"),
    ] = LONE_FILES


class FolderConnector:
    """Implements `exchange.agent.ports.Connector` on one folder. Not for use by two processes at once."""

    def __init__(self, root: Path, lone_files: Sequence[str] = LONE_FILES) -> None:
        """Use the folders below `root`; they are made when missing.

        Args:
            root: a folder on one file system.
            lone_files: extensions, in lower case and without the dot, of files that lie in `out/` without
                a folder and are each a package of one file.

        Raises:
            ConnectorError: the folders cannot be made.
        """
        self._out, self._in = root / "out", root / "in"
        self._sent, self._quarantine = root / "sent", root / "quarantine"
        self._lone_files = frozenset(lone_files)
        self._backlog = Backlog(self._out, _may_be_package)
        self._looks: dict[str, Look] = {}
        self._taken: dict[str, Look] = {}
        with connector_errors("preparing the EDMS folders"):
            for folder in (self._out, self._in, self._sent, self._quarantine):
                make_folder(folder)
            self._staging = Staging(root / ".staging")
        self._own = (self._out, self._in, self._sent, self._quarantine, root / ".staging")
        self._require_own()

    def collect(self, limit: int) -> Iterator[Package]:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: the folder cannot be read, or a bad package not be put aside.
        """
        self._require_own()
        self._offer_again()
        with connector_errors("looking for packages"):
            for name in self._backlog.look():
                with self._not_lost(name):
                    self._consider(name)
        left = limit
        while left and (oldest := self._backlog.next_ready()) is not None:
            with connector_errors("reading a package"), self._not_lost(oldest):
                package = self._read(oldest)
            if package is not None:
                left -= 1
                yield package

    def archive(self, name: str) -> None:
        """See `exchange.agent.ports.Connector`.

        A package that the EDMS has replaced since it was read stays: it is another one.

        Raises:
            ConnectorError: it cannot be moved.
        """
        self._require_own()
        with connector_errors("archiving a package"):
            path, taken = self._out / name, self._forget(name)
            if not os.path.lexists(path):
                return
            look = look_again(path, self._lone_files)
            if look is None or (taken is not None and look != taken):
                return
            day = datetime.fromtimestamp(look.changed_ns / 1e9, UTC).date().isoformat()
            make_folder(self._sent / day)
            move(path, free_path(self._sent / day, name))
            self._move_marker(name, self._sent / day)

    def quarantine(self, name: str, problem: str, code: str) -> None:
        """See `exchange.agent.ports.Connector`.

        The text is on disk before the package moves, so no package lies there without its reason.

        Raises:
            ConnectorError: it cannot be moved.
        """
        self._require_own()
        with connector_errors("putting a package into quarantine"):
            path = self._out / name
            self._forget(name)
            if not os.path.lexists(path):
                return
            folder = free_path(self._quarantine, name)
            make_folder(folder)
            write_file(folder / "problem.txt", f"{problem}\n({code})\n".encode(errors="backslashreplace"))
            move(path, free_path(folder, name))
            self._move_marker(name, folder)

    def stage(self, key: str, package: Package) -> None:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: `disk-full`, or the folder cannot be written.
            DocumentError: `file-name-unsafe`: a name that no format should have let pass.
        """
        self._require_own()
        with connector_errors("staging a package for the EDMS"):
            self._staging.put(key, package)

    def publish(self, key: str) -> None:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: it cannot be moved.
        """
        self._require_own()
        with connector_errors("showing a package to the EDMS"):
            package = self._staging.find(key)
            if package is not None:
                self._staging.move_out(package, free_path(self._in, package.name))

    def _require_own(self) -> None:
        """Who may write here must not lead us elsewhere: what lies behind a link may be the agent's own keys.

        Raises:
            ConnectorError: `folder-replaced`.
        """
        for folder in self._own:
            if folder.is_symlink():
                message = f"{folder} is a link: make it a folder again, and see who may write beside it"
                raise ConnectorError(message, code="folder-replaced")

    def _offer_again(self) -> None:
        """What was given out in the round before and not put aside is ready still."""
        for name, look in self._taken.items():
            self._looks[name] = look
            self._backlog.ready(name)
        self._taken.clear()

    @contextmanager
    def _not_lost(self, name: str) -> Iterator[None]:
        """Whatever fails, the package gets another turn."""
        try:
            yield
        except (OSError, ExchangeError):
            self._backlog.later(name)
            raise

    def _consider(self, name: str) -> None:
        """Look at what may be a package, and decide where it stands."""
        path = self._out / name
        try:
            look = look_at(path, self._lone_files)
        except FileNotFoundError:
            self._forget(name)
            return
        except DocumentError as error:
            self.quarantine(name, str(error), error.code)
            return
        is_complete = self._is_complete(path, look)
        self._looks[name] = look
        if is_complete:
            self._backlog.ready(name)
        else:
            self._backlog.later(name)

    def _read(self, name: str) -> Package | None:
        """A complete package, unless something happens to it; what can never be read goes into quarantine."""
        path, look = self._out / name, self._looks.pop(name, None)
        if look is None or self._is_locked(path, look):
            self._backlog.later(name)
            return None
        try:
            check_name(name, "package")
            files = read_files(path, look, self._lone_files)
        except DocumentError as error:
            self.quarantine(name, str(error), error.code)
            return None
        if files is None:
            self._backlog.later(name)
            return None
        self._taken[name] = look
        return Package(name, files)

    def _forget(self, name: str) -> Look | None:
        """It leaves the folder, or is another one by now; how it was when it was given out, if it was."""
        self._backlog.forget(name)
        self._looks.pop(name, None)
        return self._taken.pop(name, None)

    def _is_complete(self, path: Path, look: Look) -> bool:
        names = {name for name, _, _ in look.files} - {DONE}
        if not names or self._is_locked(path, look) or any(is_unfinished(name) for name in names):
            return False
        return look.is_done or self._looks.get(path.name) == look or os.path.lexists(f"{path}{DONE}")

    def _is_locked(self, path: Path, look: Look) -> bool:
        return os.path.lexists(f"{path}{LOCK}") or any(name == LOCK for name, _, _ in look.files)

    def _move_marker(self, name: str, folder: Path) -> None:
        """A marker beside a package goes where the package went."""
        marker = self._out / f"{name}{DONE}"
        if os.path.lexists(marker):
            move(marker, free_path(folder, marker.name))


def _may_be_package(name: str) -> bool:
    """Whether something of that name is worth a look."""
    return not (is_unfinished(name) or name.endswith((LOCK, DONE)))


FOLDER = ConnectorPlugin(
    "folder",
    FolderOptions,
    lambda options, place: FolderConnector(place.path(options.path), options.lone_files),
)
"""As profiles name it."""
