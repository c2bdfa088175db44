"""Files that pages load: our own, and the packages' where `python -m exchange.console.assets` has fetched them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_FOLDER = Path(__file__).parent.parent / "static"
STATIC_PATH = "/static"
_VERSION_CHARACTERS = 8
_KEPT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class StaticAddresses:
    """Addresses of static files, each with a mark of what is in it: a changed file has a new address."""

    versions: Mapping[str, str]

    def __call__(self, name: str) -> str:
        """The address of a file that is there."""
        return f"{STATIC_PATH}/{name}?v={self.versions[name]}"

    def has(self, name: str) -> bool:
        """Whether the file is there; packages' files may not be."""
        return name in self.versions


class KeptFiles(StaticFiles):
    """Static files that browsers keep for a day; a new version has a new address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = f"public, max-age={_KEPT_SECONDS}"
        return response


def static_files() -> KeptFiles:
    """What is mounted at `STATIC_PATH`."""
    return KeptFiles(directory=STATIC_FOLDER)


def static_addresses() -> StaticAddresses:
    """Read every file once and name its version."""
    files = (path for path in sorted(STATIC_FOLDER.rglob("*")) if path.is_file())
    return StaticAddresses({path.relative_to(STATIC_FOLDER).as_posix(): _version(path) for path in files})


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_VERSION_CHARACTERS]
