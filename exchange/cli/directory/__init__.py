"""`exchange directory`: who is in the exchange, and how that changes.

looking      list, show, search, history
group        who is meant by an expression
rollout      how far the country is on its way off paper
entering     the options of every change; `drafts` is the desk at which it is entered and approved
keepers      each change that keepers enter
approving    how another keeper looks at it and signs
standing     what a draft changes and how far it is, in words; `differences` of fields, `certificates`
letting_in   bodies that come: planned by a list, granted by their request
panels       how `--help` groups them
reconcile    what a version means at the brokers: plan, apply
service      the process that puts versions in force and hands them on
"""

import typer

from exchange.cli.directory import approving, group, keepers, letting_in, looking, reconcile, rollout, service

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Who is in the exchange, and how that changes.")
for part in (looking, group, rollout, letting_in, keepers, approving, reconcile, service):
    app.add_typer(part.app)

__all__ = ["app"]
