"""Schemas and default configuration that travel with the package.

In an installed wheel they lie inside the package; in a checkout at the top level.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def resource(*parts: str) -> Path:
    """Path of a file or folder under `schemas/` or `config/`, e.g. `resource("schemas", "avro")`."""
    installed = _PACKAGE / "_resources"
    root = installed if installed.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)
