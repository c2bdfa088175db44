"""What a document system may be connected with: formats and connectors, ours and other packages'.

Another package offers one by an entry point of the group `exchange.formats` or `exchange.connectors`
that loads a `FormatPlugin` or a `ConnectorPlugin` of the entry point's name. Ours are never replaced.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TypeVar

from adapters.connectors.folder import FOLDER
from adapters.formats import PLUGINS
from adapters.paper.format import PAPER
from adapters.ports import ConnectorPlugin, FormatPlugin, WritingFormat
from exchange.agent.ports import Format
from exchange.domain.errors import ConfigurationError

_HEAVY = MappingProxyType({"sql": "adapters.connectors.sql.plugin:SQL", "http": "adapters.connectors.web.plugin:HTTP"})
"""Ours that need SQLAlchemy or httpx: an agent of a body with a folder has neither in memory."""

Plugin = TypeVar("Plugin", FormatPlugin[Format], ConnectorPlugin)


@cache
def formats() -> Mapping[str, FormatPlugin[Format]]:
    """Formats by name.

    Raises:
        ConfigurationError: `plugin-invalid`: another package's cannot be used.
    """
    return _found("exchange.formats", FormatPlugin, (*PLUGINS, PAPER))


@cache
def connectors() -> Mapping[str, ConnectorPlugin]:
    """Connectors by kind.

    Raises:
        ConfigurationError: `plugin-invalid`: another package's cannot be used.
    """
    return _WithHeavy(_found("exchange.connectors", ConnectorPlugin, (FOLDER,)), _HEAVY)


@dataclass(frozen=True, slots=True)
class _WithHeavy(Mapping[str, ConnectorPlugin]):
    """Plug-ins that are there, and others that are loaded when they are asked for, as entry points are."""

    light: Mapping[str, ConnectorPlugin]
    heavy: Mapping[str, str]

    def __getitem__(self, name: str) -> ConnectorPlugin:
        if name not in self.heavy:
            return self.light[name]
        plugin: ConnectorPlugin = EntryPoint(name, self.heavy[name], "exchange.connectors").load()
        return plugin

    def __iter__(self) -> Iterator[str]:
        return iter({**self.light, **self.heavy})

    def __len__(self) -> int:
        return len(self.light.keys() | self.heavy.keys())


def writing_format(name: str) -> WritingFormat:
    """The format of that name with its default options, for who writes as a document system does.

    Raises:
        ConfigurationError: `format-unknown`.
    """
    plugin = formats().get(name)
    opened = plugin.open(plugin.options()) if plugin else None
    if not isinstance(opened, WritingFormat):
        known = ", ".join(sorted(set(formats()) - {PAPER.name}))
        raise ConfigurationError(f"no format '{name[:40]}' to write: choose one of {known}", code="format-unknown")
    return opened


def _found(group: str, kind: type[Plugin], ours: tuple[Plugin, ...]) -> Mapping[str, Plugin]:
    theirs: dict[str, Plugin] = {}
    for entry in entry_points(group=group):
        try:
            plugin = entry.load()
        except Exception as error:  # foreign code: whatever it raises is told as its fault
            raise _invalid(group, entry.name, f"{type(error).__name__} while it was loaded") from error
        if not isinstance(plugin, kind) or plugin.name != entry.name:
            raise _invalid(group, entry.name, f"'{entry.value}' is no {kind.__name__} of that name")
        theirs[entry.name] = plugin
    return MappingProxyType(theirs | {plugin.name: plugin for plugin in ours})


def _invalid(group: str, name: str, problem: str) -> ConfigurationError:
    message = f"plug-in '{name}' of {group}: {problem}: mend or remove the package that offers it"
    return ConfigurationError(message, code="plugin-invalid")
