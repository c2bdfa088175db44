"""`python -m exchange.cli`: the same as the command `exchange`."""

from exchange.cli import main

main()
