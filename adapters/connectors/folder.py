"""The folder connector: packages as folders (or lone XML files) that both sides see.

    out/          the EDMS puts packages here
    in/           we show packages here, each by one rename
    sent/<day>/   taken packages, by the day on which the EDMS wrote them
    quarantine/   <name>/problem.txt and <name>/<the package as it was>
    .staging/     packages that are durable but not shown yet

A package in `out/` is taken only when it is complete:

- its name does not start with a dot or end in `.tmp`, `.part` or `.filepart` (write under such a
  name, then rename), and no file in it does;
- there is no lock: neither `<name>.lock` beside it nor `.lock` in it;
- it says so (`<name>.done` beside it or `.done` in it), or names, sizes and times of all its files
  are what they were when `collect` looked before.

Nothing of the EDMS is ever deleted. Staged packages that were replaced are.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from adapters.connectors.durable import (
    connector_errors,
    discard,
    free_path,
    make_folder,
    move,
    sync_folder,
    write_file,
)
from adapters.connectors.packages import DONE, LOCK, Look, entries, is_unfinished, look_again, look_at, read_files
from adapters.formats.files import check_name
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHOWN_KEY = 8


class FolderConnector:
    """Implements `exchange.agent.ports.Connector` on one folder. Not for use by two processes at once."""

    def __init__(self, root: Path) -> None:
        """Use the folders below `root`; they are made when missing.

        Raises:
            ConnectorError: they cannot be made.
        """
        self._out, self._in = root / "out", root / "in"
        self._sent, self._quarantine, self._staging = root / "sent", root / "quarantine", root / ".staging"
        self._looks: dict[str, Look] = {}
        self._taken: dict[str, Look] = {}
        with connector_errors("preparing the EDMS folders"):
            for folder in (self._out, self._in, self._sent, self._quarantine, self._staging):
                make_folder(folder)
            for unfinished in self._staging.glob("*.new"):
                discard(unfinished)

    def collect(self, limit: int) -> Iterator[Package]:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: the folder cannot be read, or a bad package not be put aside.
        """
        with connector_errors("looking for packages"):
            names = self._waiting()
        left = limit
        for name in names:
            if left == 0:
                return
            with connector_errors("reading a package"):
                package = self._read(name)
            if package is not None:
                left -= 1
                yield package

    def archive(self, name: str) -> None:
        """See `exchange.agent.ports.Connector`.

        A package that the EDMS has replaced since it was read stays: it is another one.

        Raises:
            ConnectorError: it cannot be moved.
        """
        with connector_errors("archiving a package"):
            path, taken = self._out / name, self._taken.pop(name, None)
            if not os.path.lexists(path):
                return
            look = look_again(path)
            if look is None or (taken is not None and look != taken):
                return
            day = datetime.fromtimestamp(look.changed_ns / 1e9, UTC).date().isoformat()
            make_folder(self._sent / day)
            move(path, free_path(self._sent / day, name))
            self._move_marker(name, self._sent / day)

    def quarantine(self, name: str, problem: str) -> None:
        """See `exchange.agent.ports.Connector`.

        The text is on disk before the package moves, so no package lies there without its reason.

        Raises:
            ConnectorError: it cannot be moved.
        """
        with connector_errors("putting a package into quarantine"):
            path = self._out / name
            self._taken.pop(name, None)
            if not os.path.lexists(path):
                return
            folder = free_path(self._quarantine, name)
            make_folder(folder)
            write_file(folder / "problem.txt", f"{problem}\n".encode(errors="backslashreplace"))
            move(path, free_path(folder, name))
            self._move_marker(name, folder)

    def stage(self, key: str, package: Package) -> None:
        """See `exchange.agent.ports.Connector`.

        A repeated stage keeps the old package until the new one is durable: whenever the power
        goes, the key counts as staged.

        Raises:
            ConnectorError: `disk-full`, or the folder cannot be written.
            DocumentError: `file-name-unsafe`: a name that no format should have let pass.
        """
        names = {check_name(name, package.name): data for name, data in package.files.items()}
        slot = self._staging / _slot(key)
        shown = f"{check_name(package.name, 'package')}-{slot.name[:_SHOWN_KEY]}"
        draft, former = slot.with_name(f"{slot.name}.new"), slot.with_name(f"{slot.name}.old")
        with connector_errors("staging a package for the EDMS"):
            discard(draft)
            make_folder(self._staging)
            (draft / shown).mkdir(parents=True)  # durable with what is in it, before it gets its name
            for name, data in names.items():
                write_file(draft / shown / name, data)
            sync_folder(draft / shown)
            sync_folder(draft)
            if slot.exists():
                discard(former)
                move(slot, former)
            move(draft, slot)
            discard(former)

    def is_staged(self, key: str) -> bool:
        """See `exchange.agent.ports.Connector`."""
        return self._staged(key) is not None

    def publish(self, key: str) -> None:
        """See `exchange.agent.ports.Connector`.

        Raises:
            ConnectorError: it cannot be moved.
        """
        with connector_errors("showing a package to the EDMS"):
            package = self._staged(key)
            if package is None:
                return
            slot = package.parent
            former = slot.with_name(f"{slot.name}.old")
            if slot.suffix != ".old" and former.exists():
                # Left by a stage that was cut off at its end: it must not look staged afterwards.
                discard(former)
                sync_folder(self._staging)
            move(package, free_path(self._in, package.name))
            slot.rmdir()

    def _staged(self, key: str) -> Path | None:
        """The staged package of a key."""
        slot = self._staging / _slot(key)
        for folder in (slot, slot.with_name(f"{slot.name}.old")):
            if folder.is_dir():
                package = next(folder.iterdir(), None)
                if package is not None:
                    return package
        return None

    def _waiting(self) -> list[str]:
        """Names of packages that are not known to be unfinished, oldest first."""
        found = dict(entries(self._out))
        names = [name for name in found if not is_unfinished(name) and not name.endswith((LOCK, DONE))]
        self._looks = {name: look for name, look in self._looks.items() if name in found}
        return sorted(
            (name for name in names if f"{name}{LOCK}" not in found),
            key=lambda name: (found[name].st_mtime_ns, name),
        )

    def _read(self, name: str) -> Package | None:
        """A package if it is complete and sound; what can never be read goes into quarantine."""
        path = self._out / name
        try:
            look = look_at(path)
        except FileNotFoundError:
            return None
        except DocumentError as error:
            self.quarantine(name, str(error))
            return None
        if not self._is_complete(path, look):
            self._looks[name] = look
            return None
        try:
            check_name(name, "package")
            files = read_files(path, look)
        except DocumentError as error:
            self.quarantine(name, str(error))
            return None
        if files is None:
            return None
        self._taken[name] = look
        return Package(name, files)

    def _is_complete(self, path: Path, look: Look) -> bool:
        names = {name for name, _, _ in look.files}
        if not names - {DONE} or LOCK in names or any(is_unfinished(name) for name in names - {DONE}):
            return False
        said = DONE in names or (self._out / f"{path.name}{DONE}").exists()
        return said or self._looks.get(path.name) == look

    def _move_marker(self, name: str, folder: Path) -> None:
        """A marker beside a package goes where the package went."""
        marker = self._out / f"{name}{DONE}"
        if os.path.lexists(marker):
            move(marker, free_path(folder, marker.name))


def _slot(key: str) -> str:
    """A folder name for a key: the key where it may be one, else its SHA-256."""
    return key if _KEY.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()
