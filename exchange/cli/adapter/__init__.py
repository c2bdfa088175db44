"""`exchange adapter`: see how a document system would be connected, before and while it is.

profiles     the ready profiles, and what one says
opening      what `--config` names: a profile, or an agent's configuration; packages from paths
checking     check: what a format makes of real files, offline
converting   convert: a letter in another format, and what is lost
trying       trial: a letter through the whole circle, answered by the echo
"""

import typer

from exchange.cli.adapter import checking, converting, profiles, trying

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Connect a document system: look, check, try.")
for part in (profiles, checking, converting, trying):
    app.add_typer(part.app)

__all__ = ["app"]
