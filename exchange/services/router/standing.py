"""Which footing a lane decides by: the newest one whose topics are all there."""

import asyncio
import logging

from exchange.bus.lane import Lane
from exchange.bus.topics import DEAD_LETTERS, JOURNAL, SEQUENCES, inbox
from exchange.domain.directory import Directory
from exchange.domain.errors import BusError
from exchange.services.router.ground import LOOK_SECONDS, Footing, FootingSource
from exchange.services.router.metrics import RouterMetrics

log = logging.getLogger(__name__)


class Standing:
    """One lane's footing.

    A body may stand in the directory before its inbox exists. Until it does, the lane decides by the
    version before: no body but the new one notices, and the log says every minute what is missing.
    """

    def __init__(self, source: FootingSource, lane: Lane, metrics: RouterMetrics) -> None:
        """Nothing is read before `first`."""
        self._source = source
        self._lane = lane
        self._metrics = metrics
        self._footing: Footing | None = None
        self._looked = 0.0

    async def first(self, directory_digest: bytes) -> Footing:
        """The newest footing, or that of the version by which the lane decided last; never an older one.

        Raises:
            ConfigurationError: there is no usable directory, or not the version by which it decided.
            BusError: `topic-missing`, also of that version, or the lane never decided by any.
        """
        newest = self._source.current()
        try:
            await self._know(newest)
        except BusError as error:
            decided = self._source.of(directory_digest) if any(directory_digest) else newest
            if error.code != "topic-missing" or decided.ground.directory.version >= newest.ground.directory.version:
                raise
            self._tell(newest, decided, error)
            await self._know(decided)
        return self._standing()

    async def current(self) -> Footing:
        """The newest footing, or the one before while topics of the newest are missing.

        Raises:
            BusError: Kafka could not be asked.
        """
        standing, newest = self._standing(), self._source.current()
        now = asyncio.get_running_loop().time()
        if newest.ground.directory is standing.ground.directory:
            self._footing = newest
        elif now - self._looked >= LOOK_SECONDS:
            self._looked = now
            try:
                await self._know(newest)
            except BusError as error:
                if error.code != "topic-missing":
                    raise
                self._tell(newest, standing, error)
        return self._standing()

    async def _know(self, footing: Footing) -> None:
        await self._lane.know(topics_of(footing.ground.directory))
        self._footing = footing
        self._metrics.directory.set(footing.ground.directory.version)

    def _tell(self, newest: Footing, standing: Footing, error: BusError) -> None:
        versions = newest.ground.directory.version, standing.ground.directory.version
        log.warning("directory version %d is not taken, version %d stays: %s: %s", *versions, error.code, error)

    def _standing(self) -> Footing:
        if self._footing is None:
            message = "a lane stands on nothing before `first`"
            raise RuntimeError(message)
        return self._footing


def topics_of(directory: Directory) -> list[str]:
    """Every topic that a lane may write to."""
    inboxes = [inbox(code) for code, body in directory.bodies.items() if body.reachable]
    return [JOURNAL, SEQUENCES, DEAD_LETTERS, *inboxes]
