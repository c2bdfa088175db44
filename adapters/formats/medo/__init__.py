"""MEDO 2.6. Reading order: `words`, `parts`, `letter_reader`, `letter_writer`, `receipts`, `format`."""

from adapters.formats.medo.format import MedoFormat

__all__ = ["MedoFormat"]
