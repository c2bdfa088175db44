"""EDMS formats by name."""

from collections.abc import Mapping
from types import MappingProxyType

from adapters.formats.dhx import DHX
from adapters.formats.gost53898 import GOST
from adapters.formats.json_profile import JSON
from adapters.formats.medo import MEDO
from adapters.formats.staff import E_KYZMAT
from adapters.ports import FormatPlugin, WritingFormat
from exchange.domain.errors import ConfigurationError

PLUGINS: tuple[FormatPlugin[WritingFormat], ...] = (*MEDO, GOST, DHX, JSON, E_KYZMAT)
"""The formats that come with the exchange, as profiles name them; each opens as a `WritingFormat`."""

FORMATS: Mapping[str, WritingFormat] = MappingProxyType({each.name: each.open(each.options()) for each in PLUGINS})
"""The same with their default options. They hold no state, so all may share them."""


def format_named(name: str) -> WritingFormat:
    """The format of that name with its default options.

    Raises:
        ConfigurationError: `format-unknown`.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"no format '{name[:40]}': choose one of {', '.join(FORMATS)}", code="format-unknown")
    return FORMATS[name]
