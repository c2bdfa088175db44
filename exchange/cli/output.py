"""How commands speak: to people with colours and progress, to programs with one JSON object."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from exchange.cli.exits import Exit
from exchange.domain.errors import ExchangeError

PIPE_COLUMNS = 120

Render = Callable[[Console], None]
"""Prints a result for people."""

# What JSON leaves as it is and a terminal may obey: C1 controls (one of them begins what ESC [ begins),
# line ends of Unicode, marks that turn the direction of writing.
_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    """A stranger's text as a terminal may have it: on one line, commanding neither the terminal nor the markup."""
    return escape("".join(char if char.isprintable() else " " for char in text))


def _remember(ctx: typer.Context, *, value: bool) -> bool:
    """Tell the root that errors too are to be JSON."""
    ctx.find_root().obj = value
    return value


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.", callback=_remember)]


class Output:
    """What a command prints: results on standard output, progress and errors on standard error."""

    def __init__(self, *, as_json: bool) -> None:
        """Speak to programs or to people."""
        self.as_json = as_json
        # Texts hold colons (paths, times): no emoji is to be made of them. A pipe has no width.
        width = None if sys.stdout.isatty() else PIPE_COLUMNS
        self.console = Console(highlight=False, soft_wrap=True, emoji=False, width=width)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    def result(self, result: object, render: Render, *, ok: bool = True) -> None:
        """Print the one result of a command; `ok` False says that something was found or refused: see `verdict`."""
        if self.as_json:
            self._json({"ok": ok, "result": plain(result)})
        else:
            render(self.console)

    def verdict(self, result: object, render: Render, *, ok: bool) -> None:
        """Print the one result of a command that looks at something; not ok, and the command ends with exit code 1.

        Raises:
            typer.Exit: it is not ok.
        """
        self.result(result, render, ok=ok)
        if not ok:
            raise typer.Exit(Exit.FOUND)

    def line(self, value: Mapping[str, Any]) -> None:
        """Print one of many results as a line of JSON."""
        typer.echo(_harmless(json.dumps(value, ensure_ascii=False)))

    def error(self, error: ExchangeError) -> None:
        """Say what went wrong: `error[code]: message`; the message ends with the next step."""
        if self.as_json:
            told = {"code": error.code, "message": str(error), "retriable": error.retriable}
            self._json({"ok": False, "error": told})
        else:
            self._errors.print(f"[bold red]error\\[{error.code}][/]: {_lines(str(error))}")

    def note(self, words: str) -> None:
        """Say something beside the result; markup is taken as it is."""
        self._errors.print(words)

    @contextmanager
    def doing(self, words: str) -> Iterator[Callable[[str], None]]:
        """Show what is being done while it lasts; the function given replaces the words.

        On a terminal a moving line, else one line for each change; for programs nothing.
        """
        if self.as_json:
            yield lambda _words: None
        elif self._errors.is_terminal:
            with self._errors.status(escape(words)) as status:
                yield lambda words: status.update(escape(words))
        else:
            self._errors.print(escape(words))
            yield lambda words: self._errors.print(escape(words))

    def _json(self, value: Mapping[str, Any]) -> None:
        typer.echo(_harmless(json.dumps(value, ensure_ascii=False, indent=2)))


def _harmless(text: str) -> str:
    """JSON that no terminal obeys."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _lines(text: str) -> str:
    """Words of our own in which a stranger's may be quoted: their lines stay."""
    return "\n".join(map(shown, text.split("\n")))


def plain(value: object) -> Any:
    """A value as JSON has it: bytes in hexadecimal, times in ISO 8601, spans in seconds, dataclasses as objects."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: object) -> Any:
    match value:
        case Enum():
            return value.value
        case bytes():
            return value.hex()
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
    return value
