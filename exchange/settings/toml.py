"""A configuration file in TOML, read strictly: every key is asked for, and what nobody asked for is refused."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from exchange.domain.errors import ConfigurationError

_MISSING: Any = object()


class Table:
    """One table of a configuration file; whoever opens it reads every key, and the rest is refused."""

    def __init__(self, file: Path, name: str, values: Mapping[str, Any]) -> None:
        """Describe table `name` of `file`; the top of a file has no name."""
        self._file = file
        self._name = name
        self._values = values
        self._read: set[str] = set()

    def __enter__(self) -> Self:
        """Begin to read."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Refuse what was not read, unless something worse is being said."""
        unknown = sorted(set(self._values) - self._read)
        if kind is None and unknown:
            known = ", ".join(sorted(self._read))
            problem = f"is not known here: remove it, or use one of {known}"
            raise self.refused(unknown[0], problem, "configuration-key-unknown")

    def has(self, key: str) -> bool:
        """Whether the table says anything about `key`."""
        self._read.add(key)
        return key in self._values

    def text(self, key: str, default: str = _MISSING) -> str:
        """A text that is not empty, unless that is its default."""
        value = self._value(key, default)
        if not isinstance(value, str) or (not value and value != default):
            raise self.wrong(key, 'must be a text that is not empty, in quotes: key = "value"')
        return value

    def number(self, key: str, *, least: int, most: int, default: int = _MISSING) -> int:
        """A whole number from `least` to `most`."""
        value = self._value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"must be a whole number from {least} to {most}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false, without quotes")
        return value

    def path(self, key: str) -> Path:
        """A path; a relative one begins at the file's folder."""
        return self.beside(self.text(key))

    def beside(self, path: str) -> Path:
        """A path as the file means it."""
        return self._file.parent / Path(path).expanduser()

    def texts(self, key: str) -> tuple[str, ...]:
        """Different texts, none of them empty; nothing when the key is left out."""
        value = self._value(key, [])
        whole = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
        if not whole or len(set(value)) != len(value):
            raise self.wrong(key, 'must be a list of different texts: key = ["value", "another"]')
        return tuple(value)

    def table(self, key: str, *, optional: bool = False) -> "Table":
        """A table inside this one; one that may be left out then reads as empty."""
        value = self._value(key, {} if optional else _MISSING)
        if not isinstance(value, dict):
            raise self.wrong(key, f"must be a table: a line [{key}] with its keys below")
        return Table(self._file, f"{self._name}.{key}" if self._name else key, value)

    def named(self, key: str) -> "dict[str, Table]":
        """The tables inside a table that may be left out, by names that whoever writes the file chooses."""
        with self.table(key, optional=True) as group:
            return {name: group.table(name) for name in self._values.get(key, {})}

    def tables(self, key: str, *, optional: bool = False) -> list["Table"]:
        """One or more tables of the same name; none when they may be left out and are."""
        value = self._value(key, [] if optional else _MISSING)
        some = isinstance(value, list) and (bool(value) or optional)
        if not some or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"must be one or more tables: a line [[{key}]] with its keys below")
        return [Table(self._file, key, item) for item in value]

    def wrong(self, key: str, problem: str) -> ConfigurationError:
        """The error about a value that cannot be taken."""
        return self.refused(key, problem, "configuration-value-invalid")

    def refused(self, key: str, problem: str, code: str) -> ConfigurationError:
        """The error about a key, with a code of its own."""
        place = f"[{self._name}] {key}" if self._name else f"[{key}]"
        return ConfigurationError(f"{self._file}: {place} {problem}", code=code)

    def _value(self, key: str, default: Any) -> Any:
        self._read.add(key)
        value = self._values.get(key, default)
        if value is _MISSING:
            raise self.refused(key, "is missing: add it", "configuration-key-missing")
        return value


@contextmanager
def opened(file: Path) -> Iterator[Table]:
    """The top of a file, read to the last table."""
    file = file.expanduser().absolute()
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name the configuration with --config"
        raise ConfigurationError(message, code="configuration-missing") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{file} is no TOML in UTF-8 ({error}): correct the line"
        raise ConfigurationError(message, code="configuration-unreadable") from error
    with Table(file, "", values) as top:
        yield top


def given_file(table: Table, name: str, environ: Mapping[str, str]) -> Path:
    """A file by its path, or by the name under which systemd gives it to the service."""
    prefix, _, credential = table.text(name).partition(":")
    if prefix != "credential":
        return table.path(name)
    if not credential or "/" in credential:
        raise table.wrong(name, "names no credential: write credential: and the name that LoadCredential= gives it")
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        problem = f"is a credential, and systemd gave none: add LoadCredential={credential}:<file> to the service"
        raise table.refused(name, problem, code="credential-missing")
    return Path(folder, credential)


def table_text(name: str, /, **values: str | int | bool) -> str:
    """A table as a file has it; `[name]` for one of several. TOML writes its values as JSON does."""
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return "".join([f"[{name}]\n", *lines])
