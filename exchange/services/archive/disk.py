"""The archive's folder as two tasks use it: who takes entries, and who signs how far they are."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from exchange.archive.reading import LogReader
from exchange.archive.writer import ArchiveWriter
from exchange.services.threads import finish

Result = TypeVar("Result")


class Disk:
    """One task at a time, each time in a thread and to the end."""

    def __init__(self, writer: ArchiveWriter) -> None:
        """Nothing is used yet; `writer` is open and stays so."""
        self._writer = writer
        self.folder = writer.folder
        self.logs = LogReader(writer.folder)
        """The same folder, read as everybody reads it: up to what was laid out."""
        self._turn = asyncio.Lock()

    async def use(self, work: Callable[[ArchiveWriter], Result]) -> Result:
        """Do `work` when it is our turn; also when cancelled meanwhile it is ended before anybody else begins.

        Raises:
            ArchiveError: what the writer raises.
        """
        async with self._turn:
            return await finish(work, self._writer)
