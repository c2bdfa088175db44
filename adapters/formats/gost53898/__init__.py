"""GOST R 53898.

Reading order: `words`, `parts`, `resources`, `letter_reader`, `letter_writer`, `receipts`, `format`.
"""

from adapters.formats.gost53898.format import GostFormat

__all__ = ["GostFormat"]
