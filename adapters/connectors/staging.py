"""Packages that are durable here, but not yet shown to the EDMS.

    <folder>/<slot>/<name>-<start of the key>/      a staged package; the slot is named by its key
    <folder>/<slot>.new                             being written, discarded at the next start
    <folder>/<slot>.old                             being replaced: it counts while there is no better one
    <folder>/<slot>.gone                            given away, being removed

Whenever the power goes, a key counts as staged or not, and what is staged is whole.
"""

import hashlib
import re
from pathlib import Path

from adapters.connectors.durable import discard, make_folder, move, sync_folder, write_file
from adapters.formats.files import check_name
from exchange.agent.ports import Package

_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SHOWN_KEY = 8


class Staging:
    """Staged packages in a folder of their own. Not for use by two processes at once.

    Every method lets the system's errors through: callers say what was being done.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when missing; what an interrupted run left half-done is removed."""
        self._folder = folder
        make_folder(folder)
        for suffix in ("new", "gone"):
            for unfinished in folder.glob(f"*.{suffix}"):
                discard(unfinished)

    def put(self, key: str, package: Package) -> None:
        """Make a package durable; repeating replaces, and keeps the old one until the new one is durable.

        Raises:
            DocumentError: `file-name-unsafe`: a name that no format should have let pass.
        """
        files = {check_name(name, package.name): data for name, data in package.files.items()}
        slot = self._slot(key)
        shown = f"{check_name(package.name, 'package')}-{slot.name[:_SHOWN_KEY]}"
        draft, former = _beside(slot, "new"), _beside(slot, "old")
        discard(draft)
        make_folder(self._folder)
        (draft / shown).mkdir(parents=True)  # durable with what is in it, before it gets its name
        for name, data in files.items():
            write_file(draft / shown / name, data)
        sync_folder(draft / shown)
        sync_folder(draft)
        if slot.exists():
            discard(former)
            move(slot, former)
        move(draft, slot)
        discard(former)

    def find(self, key: str) -> Path | None:
        """The folder of a staged package; None when the key is not staged."""
        slot = self._slot(key)
        for folder in (slot, _beside(slot, "old")):
            if folder.is_dir():
                package = next(folder.iterdir(), None)
                if package is not None:
                    return package
        return None

    def move_out(self, package: Path, target: Path) -> None:
        """Move a package that `find` gave to `target`, on the same file system; its key is staged no more."""
        self._forget_former(package.parent)
        move(package, target)
        package.parent.rmdir()

    def remove(self, package: Path) -> None:
        """Remove a package that `find` gave, in one step; its key is staged no more."""
        self._forget_former(package.parent)
        gone = package.parent.with_suffix(".gone")
        discard(gone)
        move(package.parent, gone)
        discard(gone)

    def _forget_former(self, slot: Path) -> None:
        """What a stage left that was cut off at its end: it must not look staged afterwards."""
        former = _beside(slot, "old")
        if slot.suffix != ".old" and former.exists():
            discard(former)
            sync_folder(self._folder)

    def _slot(self, key: str) -> Path:
        """A folder for a key: named by it where that may be, else by its SHA-256."""
        return self._folder / (key if _KEY.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest())


def _beside(slot: Path, suffix: str) -> Path:
    return slot.with_name(f"{slot.name}.{suffix}")
