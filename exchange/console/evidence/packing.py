"""Packages made out of an archive: its folder, or the address where it is served."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from exchange.archive.addresses import ArchivePlace
from exchange.console.evidence.printing import Reports
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.log_keys import read_log_policy
from exchange.services.evidence.archived import EvidenceArchive
from exchange.services.evidence.container import Stamp
from exchange.services.evidence.gathering import gather, seen_by, without_acts
from exchange.services.evidence.package import Case, make_case, write_package
from exchange.services.evidence.withholding import ALL


@dataclass(frozen=True, slots=True)
class Packing:
    """Makes packages; blocking, for any thread.

    Attributes:
        place: the archive's folder, or its address.
        policy: file that says whose word about the log counts.
        directory: opens the directory.
        stamp: asks a time-stamping authority; None: nobody is asked.
    """

    place: ArchivePlace
    policy: Path
    directory: Callable[[], DirectoryFolder]
    stamp: Stamp | None = None

    def case(self, letter: bytes, withhold: Collection[str] = (), body: str = "", *, acts: bool = False) -> Case:
        """A letter's case.

        Args:
            letter: its digest.
            withhold: what is left out of its contents, see `withholding.items`; all where the archive gives none.
            body: of whom it is for; empty for who may see all of it.
            acts: whether what people did about it at the console is in it, with their sign-ins.

        Raises:
            ArchiveError: the archive cannot be read.
            ExchangeError: as `gather`, `make_case`; `log-policy-missing`.
        """
        directory = self.directory()
        policy = read_log_policy(self.policy)
        with EvidenceArchive(self.place) as archive:
            withhold = withhold if archive.gives_contents else [*withhold, ALL]
            gathered = seen_by(gather(archive, letter, directory, policy), body)
        gathered = gathered if acts else without_acts(gathered)
        text = self.policy.read_text(encoding="utf-8")
        return make_case(gathered, directory, text, withhold, stamped=self.stamp is not None)

    def package(self, case: Case) -> bytes:
        """The package.

        Raises:
            TimestampError: the authority is away, or refused.
        """
        return write_package(case, Reports(), self.stamp)


class Packer:
    """Makes packages beside an event loop, one at a time."""

    def __init__(self, packing: Packing) -> None:
        """Make them with `packing`."""
        self._packing = packing
        self._turn = asyncio.Lock()

    async def package(self, letter: bytes, withhold: Collection[str], body: str) -> bytes:
        """A letter's package; raises as `Packing`."""
        async with self._turn:
            return await asyncio.to_thread(self._made, letter, withhold, body)

    def _made(self, letter: bytes, withhold: Collection[str], body: str) -> bytes:
        return self._packing.package(self._packing.case(letter, withhold, body))
