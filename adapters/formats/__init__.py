"""EDMS formats."""
