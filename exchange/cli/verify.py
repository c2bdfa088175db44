"""`exchange verify`: the independent verifier, `exchange-verify`, which knows nothing of the exchange's own code.

There is one verifier and not two: whoever doubts the exchange reads and runs that one alone, and what is shown here is
what they will see.
"""

import typer
from exchange_verify.__main__ import main

app = typer.Typer(add_completion=False)


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def verify(context: typer.Context) -> None:
    """Check a letter's evidence package; takes what `exchange-verify` takes, `--help` included."""
    raise typer.Exit(main(context.args))
