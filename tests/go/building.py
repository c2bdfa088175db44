"""Programs of Go for tests: `readlog`, and the foreign witness `litewitness`; built once, by Go's own client.

What they need is named in `go.mod` and its digests in `go.sum`; the programs lie in the user's cache.
"""

import hashlib
import os
import subprocess
from pathlib import Path

from exchange.embedded import cache_folder
from exchange.embedded.locking import exclusive
from tests.patience import PATIENCE

HERE = Path(__file__).parent
PACKAGES = ("./readlog", "filippo.io/torchwood/cmd/litewitness")
BUILD_SECONDS = 540
"""For the first time on a machine: modules are fetched, and SQLite in Go is compiled."""


def go_program(name: str, module: Path = HERE, packages: tuple[str, ...] = PACKAGES) -> Path:
    """A program, built with the others of its module when it is not there."""
    sources = [module / "go.mod", module / "go.sum", *sorted(module.glob("*/*.go"))]
    version = subprocess.run(["go", "version"], capture_output=True, check=True, timeout=PATIENCE).stdout
    digest = hashlib.sha256(b"".join([version, *(path.read_bytes() for path in sources)])).hexdigest()
    folder = cache_folder(os.environ) / "tools" / f"go-{digest[:16]}"
    with exclusive(folder.parent):
        if not all((folder / Path(package).name).exists() for package in packages):
            folder.mkdir(parents=True, exist_ok=True)
            words = ["go", "build", "-trimpath", "-mod=readonly", "-o", f"{folder}/", *packages]
            built = subprocess.run(
                words, cwd=module, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
            )
            assert built.returncode == 0, built.stderr
    return folder / name
