"""The command `exchange`.

Every command prints for people, or with `--json` one object for programs:

    {"ok": true, "result": …}
    {"ok": false, "error": {"code": "…", "message": "…", "retriable": false}}

Reading order: `commands` lists them, `exits` says how they end, `output` how they speak, `places`
where they find an installation; then a module for each command.
"""

from exchange.cli.commands import app


def main() -> None:
    """Entry point of the program."""
    app()


__all__ = ["app", "main"]
