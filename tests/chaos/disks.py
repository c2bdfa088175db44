"""Small disks of their own for what keeps state, so that one can be full or read-only and nobody else notices.

They are tmpfs in a mount namespace that this run has for itself: nothing of it is left when the last process
ends. Root may make one; other users may where the kernel lets them (unprivileged user namespaces). Where neither
works, faults of disks are not run, and the run says so.
"""

import os
import shutil
import subprocess
from pathlib import Path

_AS_ROOT = ("unshare", "--mount")
_AS_USER = ("unshare", "--user", "--map-current-user", "--keep-caps", "--mount")
_BLOCK = 16 * 1024
_ATTEMPTS = 100


def namespace() -> tuple[str, ...]:
    """The command that runs another one where it may mount; empty where there is no such way."""
    command = _AS_ROOT if os.geteuid() == 0 else _AS_USER
    trial = [*command, "mount", "-t", "tmpfs", "trial", "/mnt"]
    try:
        works = subprocess.run(trial, capture_output=True, check=False).returncode == 0
    except OSError:
        works = False
    return command if works else ()


class Disk:
    """A disk at a folder; every process of this run sees it."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        """Mount it: empty."""
        self.folder = folder
        self._size = f"{megabytes}m"
        folder.mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={self._size},mode=0755", "exchange-chaos", str(folder))

    def fill(self) -> None:
        """From now on it has as good as no space left."""
        for _ in range(_ATTEMPTS):
            seen = os.statvfs(self.folder)
            used = (seen.f_blocks - seen.f_bfree) * seen.f_frsize
            try:
                self._remount(f"size={used + _BLOCK}")
            except subprocess.CalledProcessError:  # more was written meanwhile than that
                continue
            return

    def relieve(self) -> None:
        """It has space again."""
        self._remount(f"size={self._size}")

    def seal(self) -> None:
        """Nothing can be written any more; nobody may have a file open for writing."""
        self._remount("ro")

    def unseal(self) -> None:
        """It can be written again."""
        self._remount("rw")

    def keep(self, place: Path) -> None:
        """Copy what is on it to where it outlives this run."""
        place.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "--archive", "--sparse=always", str(self.folder), str(place)], check=False)

    def close(self) -> None:
        """Take it away, with all that is on it."""
        umount = shutil.which("umount") or "umount"
        subprocess.run([umount, "--lazy", str(self.folder)], check=False)

    def _remount(self, option: str) -> None:
        _mount("-o", f"remount,{option}", str(self.folder))


def _mount(*arguments: str) -> None:
    mount = shutil.which("mount") or "mount"
    subprocess.run([mount, *arguments], check=True, capture_output=True)
