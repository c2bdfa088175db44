"""The content store read by somebody who wants much of it: files stay open."""

import sqlite3
from collections import OrderedDict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from exchange.archive.contents import Authority, Contents
from exchange.archive.database import open_for_reading
from exchange.archive.errors import disk_error
from exchange.archive.layout import CONTENTS, contents_file, month_of
from exchange.domain.statement import Content

_GET = "SELECT salt, data, partition, place FROM contents WHERE commitment = ?"
_OPEN_MONTHS = 24
_LATER = timedelta(minutes=5)
"""So much later than decided an entry may be journalled, and so in the next month."""


class KeptContents:
    """A context manager; reads beside the one who writes. Not for several threads at once.

    What it gives is not compared with its commitment: that is for who asks.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is opened yet; `folder` is the archive's."""
        self._contents = Contents(folder)
        self._folder = folder / CONTENTS
        self._months: OrderedDict[str, sqlite3.Connection] = OrderedDict()

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened."""
        while self._months:
            self._months.popitem()[1].close()

    def fetch(self, commitment: bytes, at: datetime | None = None) -> Content | Authority | None:
        """An item; the order by which it was deleted, as the store says; None when it is gone without one.

        Args:
            commitment: of it.
            at: about when it was journalled, where that is known: so its month is found at once.

        Raises:
            ArchiveError: `archive-unusable`.
        """
        if at is not None:
            found = self._of(month_of(at), commitment)
            if found is not None:
                return found
        for month in self._contents.parts():
            found = self._of(month, commitment)
            if found is not None:
                return found
        if at is None:
            return self._contents.order(commitment)
        return self._contents.order(commitment, at) or self._contents.order(commitment, at + _LATER)

    def _of(self, month: str, commitment: bytes) -> Content | Authority | None:
        connection = self._months.get(month) or self._open(month)
        if connection is None:
            return None
        try:
            row = connection.execute(_GET, [commitment]).fetchone()
        except sqlite3.Error as error:
            raise disk_error(error, str(contents_file(self._folder, month))) from error
        if row is None:
            return None
        salt, data, partition, place = row
        return Authority(partition, place) if salt is None else Content(salt, data)

    def _open(self, month: str) -> sqlite3.Connection | None:
        path = contents_file(self._folder, month)
        if not path.exists():
            return None
        connection = self._months[month] = open_for_reading(path)
        if len(self._months) > _OPEN_MONTHS:
            self._months.popitem(last=False)[1].close()
        return connection
