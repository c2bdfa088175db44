"""What a format or a connector offers to be chosen in an agency's profile: a name, typed options, a way to open it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from exchange.agent.ports import Connector, DraftLetter, Format, Package
from exchange.domain.directory import Directory


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of a plug-in, as they stand in the profile. Types and descriptions become the editors' JSON Schema."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a connector may ask of the machine.

    Attributes:
        now: the present time, UTC.
        random_bytes: so many of them, that nobody can foresee.
        environ: the process's environment.
    """

    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connector works: for which body, beside which file, on which machine.

    Attributes:
        folder: of the profile's file, where relative paths begin.
        body: the body's code; a path may name it as `{body}`, so that many bodies share one profile.
    """

    folder: Path
    body: str
    machine: Machine

    def path(self, written: str) -> Path:
        """A path as the profile means it."""
        return beside(self.folder, written, self.body)


def beside(folder: Path, written: str, body: str) -> Path:
    """A path as the profile in `folder` means it for one body."""
    return folder / Path(written.replace("{body}", body)).expanduser()


@runtime_checkable
class WritingFormat(Format, Protocol):
    """A format that can also write what an EDMS sends: for conversion, stand-ins and samples."""

    def write(self, draft: DraftLetter, created: datetime, directory: Directory, name: str) -> Package:
        """The package called `name` by which an EDMS would send `draft`; `parse` gives it back."""
        ...


Opened_co = TypeVar("Opened_co", bound=Format, covariant=True)


@dataclass(frozen=True, slots=True)
class FormatPlugin(Generic[Opened_co]):
    """A format by its name; `open` takes an instance of `options`."""

    name: str
    options: type[Options]
    open: Callable[[Any], Opened_co]


@dataclass(frozen=True, slots=True)
class ConnectorPlugin:
    """A connector by its kind; `open` takes an instance of `options` and the place."""

    name: str
    options: type[Options]
    open: Callable[[Any, Place], Connector]
