"""A profile: how one document system is connected, in one TOML file (`config/agents/` has ready ones).

format = "medo-2.6"             # or a table: name, and the format's own options
[connector]
kind = "folder"                 # and the connector's own options
[receipts]                      # which events its document system is told of, and as which
accepted = "nothing"
expired = "refused"
[understood]                    # what its own words are taken for
progress = "executor-assigned"
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from adapters.formats.mapped import NOTHING, MappedFormat
from adapters.plugins import connectors, formats
from adapters.ports import ConnectorPlugin, FormatPlugin, Machine, Options, Place, beside
from exchange.agent.ports import Connector, Format
from exchange.domain.delivery import NEGATIVE
from exchange.domain.errors import ConfigurationError
from exchange.domain.event import SERVICE_EVENTS, Event

_TABLES = ("format", "connector", "receipts", "understood")
_FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a document system is connected.

    Attributes:
        file: where this was read.
        format: the plug-in, opened with `format_options`; `connector` likewise.
        receipts: what an event is told to the document system as, None for not at all; the others as they are.
        understood: what a word of the document system is taken for; the others as they are.
    """

    file: Path
    format: FormatPlugin[Format]
    format_options: Options
    connector: ConnectorPlugin
    connector_options: Options
    receipts: Mapping[Event, Event | None]
    understood: Mapping[Event, Event]

    def open_format(self) -> Format:
        """The format, with the profile's mapping of receipts."""
        opened = self.open_unmapped()
        return MappedFormat(opened, self.receipts, self.understood) if self.receipts or self.understood else opened

    def open_unmapped(self) -> Format:
        """The format as it is."""
        return self.format.open(self.format_options)

    def open_connector(self, body: str, machine: Machine) -> Connector:
        """The connector of one body.

        Raises:
            ConnectorError: the document system's side cannot be used.
            ConfigurationError: a file of a key or password, or a URL, that the profile names cannot be.
        """
        return self.connector.open(self.connector_options, Place(self.file.parent, body, machine))

    def folder(self, body: str) -> Path | None:
        """The folder that the body's document system shares with us; None with another connector."""
        path = getattr(self.connector_options, "path", "") if self.connector.name == _FOLDER else ""
        return beside(self.file.parent, path, body) if path else None


def read_profile(file: Path) -> Profile:
    """Read a profile; nothing is opened.

    Raises:
        ConfigurationError: `configuration-missing`, `configuration-unreadable`, `configuration-invalid`,
            `format-unknown`, `connector-unknown`: names file and field.
    """
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name the profile of the document system"
        raise ConfigurationError(message, code="configuration-missing") from error
    except ValueError as error:
        raise ConfigurationError(
            f"{file}: no TOML: {error}: correct the file", code="configuration-unreadable"
        ) from error
    unknown = sorted(set(read) - set(_TABLES))
    if unknown:
        message = f"{file}: {unknown[0]} is not known here: remove it, or use one of {', '.join(_TABLES)}"
        raise ConfigurationError(message)
    format_table = read.get("format", {})
    if isinstance(format_table, str):
        format_table = {"name": format_table}
    fmt, format_options = _chosen(f"{file}: [format]", "name", format_table, formats(), "format-unknown")
    wanted = read.get("connector", {})
    connector, connector_options = _chosen(f"{file}: [connector]", "kind", wanted, connectors(), "connector-unknown")
    told = _events(file, "receipts", read.get("receipts", {}), {*Event, NOTHING})
    understood = _events(file, "understood", read.get("understood", {}), {*Event} - SERVICE_EVENTS)
    return Profile(
        file, fmt, format_options, connector, connector_options,
        {event: None if word == NOTHING else Event(word) for event, word in told.items()},
        {event: Event(word) for event, word in understood.items()},
    )  # fmt: skip


def _chosen(place: str, key: str, said: Any, known: Mapping[str, Any], unknown: str) -> tuple[Any, Options]:
    """The plug-in that a table names, and its options; `unknown` is the code where there is none of that name."""
    if not isinstance(said, dict) or not isinstance(said.get(key), str):
        raise ConfigurationError(f"{place} {key} is missing: choose one of {', '.join(known)}")
    name = said[key]
    if name not in known:
        message = f"{place} {key}: no '{name[:40]}': choose one of {', '.join(known)}"
        raise ConfigurationError(message, code=unknown)
    plugin = known[name]
    try:
        return plugin, msgspec.convert({each: said[each] for each in said if each != key}, plugin.options)
    except msgspec.ValidationError as error:
        step = "correct it as the page of the docs says"
        raise ConfigurationError(f"{place} of {name}: {error}: {step}") from error


def _events(file: Path, table: str, said: Any, words: Collection[str]) -> dict[Event, str]:
    events = [event.value for event in Event]
    if not isinstance(said, dict):
        raise ConfigurationError(f'{file}: [{table}] is no table: write event = "word" below it')
    for event, word in said.items():
        place = f"{file}: [{table}] {event[:40]}"
        if event not in events:
            raise ConfigurationError(f"{place} is no event: use one of {', '.join(events)}")
        fitting = [each for each in words if each == NOTHING or _is_negative(each) == _is_negative(event)]
        if word not in fitting:
            raise ConfigurationError(f"{place} cannot be taken for {word!r}: use one of {', '.join(sorted(fitting))}")
    return {Event(event): str(word) for event, word in said.items()}


def _is_negative(event: str) -> bool:
    """A failure stays one whatever it is called: the reason that goes with it must have somewhere to stand."""
    return Event(event) in NEGATIVE


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of profiles, for editors: from the options of every plug-in found here."""
    events = [event.value for event in Event]
    own = [event.value for event in Event if event not in SERVICE_EVENTS]
    format_schemas, format_parts = _plugin_schemas("name", formats())
    connector_schemas, connector_parts = _plugin_schemas("kind", connectors())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A profile: how one document system is connected",
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "connector"],
        "properties": {
            "format": {
                "description": "What its documents are written in: a name, or a table with the format's options",
                "anyOf": [{"enum": sorted(formats())}, *format_schemas],
            },
            "connector": {"description": "How its files or rows come and go", "anyOf": connector_schemas},
            "receipts": _events_schema("What an event is told to the document system as", events, [*events, NOTHING]),
            "understood": _events_schema("What a word of the document system is taken for", events, own),
        },
        "$defs": format_parts | connector_parts,
    }


def _plugin_schemas(
    key: str, plugins: Mapping[str, FormatPlugin[Format]] | Mapping[str, ConnectorPlugin]
) -> tuple[list[Any], dict[str, Any]]:
    """A schema of each plug-in's table, and those of the tables within them by name."""
    schemas, parts = [], {}
    for name in sorted(plugins):
        plugin = plugins[name]
        (_, components) = msgspec.json.schema_components([plugin.options], ref_template="#/$defs/{name}")
        schema: dict[str, Any] = components.pop(plugin.options.__name__)
        properties = {key: {"const": name}, **schema.get("properties", {})}
        schemas.append({**schema, "properties": properties, "required": [key, *schema.get("required", [])]})
        parts.update(components)
    return schemas, parts


def _events_schema(description: str, events: list[str], words: list[str]) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": {event: {"enum": words} for event in events},
    }
