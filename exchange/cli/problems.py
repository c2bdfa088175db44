"""How commands tell everything that is wrong with something at once."""

from collections.abc import Sequence

from rich.console import Console

from exchange.cli.output import Output, shown
from exchange.domain.entry import Problem


def require_none(output: Output, problems: Sequence[Problem]) -> None:
    """End the command, with exit code 1, when there is a problem; all are told.

    Raises:
        typer.Exit: when there is any.
    """
    if problems:
        output.verdict(problems, lambda console: _render(problems, console), ok=False)


def _render(problems: Sequence[Problem], console: Console) -> None:
    for problem in problems:
        console.print(f"[red]✗[/] {shown(problem.place)}: {shown(problem.text)} \\[{problem.code}]")
