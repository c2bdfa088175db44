"""DHX capsule 2.1.

Reading order: `words`, `contents`, `parts`, `addition`, `foreign`, `letter_reader`, `letter_writer`, `receipts`,
`format`; for the call over X-Road that brings a capsule: `multipart`, `soap`, `send_document`.
"""

from adapters.formats.dhx.format import DHX, DhxFormat

__all__ = ["DHX", "DhxFormat"]
