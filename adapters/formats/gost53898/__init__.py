"""GOST R 53898.

Reading order: `words`, `parts`, `additions`, `resources`, `letter_reader`, `letter_writer`, `receipts`, `format`.
"""

from adapters.formats.gost53898.format import GOST, GostFormat

__all__ = ["GOST", "GostFormat"]
