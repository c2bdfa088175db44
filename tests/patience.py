"""How long a test waits for what must come."""

PATIENCE = 180.0
"""Seconds: a limit for what would hang, never a measure; a busy machine may be fifty times slower than a calm one."""
