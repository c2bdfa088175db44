"""How `exchange directory --help` groups its commands."""

LOOK, CHANGE, RUN = "Look", "Change: two keepers", "Run"
