"""EDMS formats by name."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from adapters.formats.gost53898 import GostFormat
from adapters.formats.medo import MedoFormat
from exchange.agent.ports import DraftLetter, Format, Package
from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError


class WritingFormat(Format, Protocol):
    """A format that can also write what an EDMS sends: for stand-ins and samples."""

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:
        """The package called `name` by which an EDMS would send `draft`; `parse` gives it back."""
        ...


FORMATS: Mapping[str, WritingFormat] = MappingProxyType({each.name: each for each in (MedoFormat(), GostFormat())})
"""The formats that agents can be configured with. They hold no state, so all may share them."""


def format_named(name: str) -> WritingFormat:
    """The format of that name.

    Raises:
        ConfigurationError: `format-unknown`.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"no format '{name[:40]}': choose one of {', '.join(FORMATS)}", code="format-unknown")
    return FORMATS[name]
