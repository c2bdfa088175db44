"""Verifies a letter's evidence package offline, trusting nothing in it. Read `steps` first; README.md says how."""
