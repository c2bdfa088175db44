"""The exchange's own JSON profile.

Reading order: `source`, `documents`, `shapes`, `letter_reader`, `letter_writer`, `receipts`, `format`.
"""

from adapters.formats.json_profile.format import JSON, JsonFormat

__all__ = ["JSON", "JsonFormat"]
