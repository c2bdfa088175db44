"""Writing a file whole or not at all."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

PRIVATE = 0o600
PUBLIC = 0o644


def write_atomically(path: Path, data: bytes, *, mode: int = PUBLIC) -> None:
    """Put `data` at `path`: readers see the old file or the new one, also after a power cut.

    Of several writers at once, in this process or others, one is the last. A private file never exists with a wider
    mode, not for a moment.

    Raises:
        OSError: the folder cannot be made or written; the old file, if any, is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as own:
        draft = Path(own, "new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
