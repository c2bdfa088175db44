"""Where embedded servers keep files: the user's cache and state, never the source tree."""

from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of what can be fetched again.

    `EXCHANGE_CACHE`, else `exchange` below `XDG_CACHE_HOME` (XDG Base Directory
    Specification; `~/.cache` when unset).
    """
    return _folder(environ, "EXCHANGE_CACHE", "XDG_CACHE_HOME", ".cache")


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of data, logs and ports of embedded servers.

    `EXCHANGE_STATE`, else `exchange` below `XDG_STATE_HOME` (`~/.local/state` when unset).
    """
    return _folder(environ, "EXCHANGE_STATE", "XDG_STATE_HOME", ".local/state")


def _folder(environ: Mapping[str, str], own: str, xdg: str, default: str) -> Path:
    if named := environ.get(own):
        return Path(named).expanduser().absolute()
    base = Path(environ.get(xdg, ""))
    # The specification says: a relative path is invalid and is to be ignored.
    return (base if base.is_absolute() else Path.home() / default) / "exchange"
