"""MEDO, 2.2 to 2.7.1.

Reading order: `versions`, `words`, `parts`, `message`, `envelope`; `letter_reader` and `letter_writer` for documents up
to 2.6, `remarks`; `passport`, `container_reader` and `container_writer` for 2.7; `receipts`, `format`.
"""

from adapters.formats.medo.format import MEDO, MedoFormat

__all__ = ["MEDO", "MedoFormat"]
