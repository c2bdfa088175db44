"""A full disk, said plainly and before anything is half done."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.embedded.errors import SpaceMissingError

# Full, over the user's quota, over the process's own limit for a file.
_SIGNS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def space_for(folder: Path, wanted_bytes: int) -> Iterator[None]:
    """Run what writes up to `wanted_bytes` into `folder`, which is made when missing.

    Raises:
        SpaceMissingError: `embedded-no-space`: there is less, or it ran out on the way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < wanted_bytes:
            raise SpaceMissingError(folder, wanted_bytes)
        yield
    except OSError as error:
        if error.errno in _SIGNS:
            raise SpaceMissingError(folder, wanted_bytes) from error
        raise
