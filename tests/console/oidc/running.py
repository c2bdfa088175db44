"""The identity provider of `provider.mjs`, fetched by npm and run by Node.js."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.patience import PATIENCE

HERE = Path(__file__).parent
FETCH_SECONDS = 600
CLIENT = "exchange-console"
SECRET = "not very secret/+ but long enough"


def fetched(folder: Path) -> Path:
    """The provider with the packages of its lock, in a folder of its own."""
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copyfile(HERE / name, folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, timeout=FETCH_SECONDS, check=False)
    assert done.returncode == 0, f"npm could not fetch the identity provider: {done.stderr[-2000:]}"
    return folder / "provider.mjs"


@contextmanager
def running(script: Path, console: str) -> Iterator[str]:
    """Run it for a console at that address; its issuer."""
    command = ["node", script.name, console]
    log = script.with_name("log")
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, cwd=script.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        issuer = process.stdout.readline().decode().strip()
        assert issuer.startswith("http://127.0.0.1:"), log.read_text()
        try:
            yield issuer
        finally:
            process.stdin.close()  # it ends then
            process.wait(PATIENCE)
