"""Letters between bodies of the stage, and handing them in as a stubborn agent does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import SUBMISSIONS
from exchange.domain.errors import BusError
from exchange.domain.ids import lane_of
from exchange.domain.statement import Signed
from exchange.embedded.installation import SHAPE
from exchange.wire.records import encode
from tests.stage import Stage

_RETRY_SECONDS = 0.5
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Traffic:
    """What each body says, in order; the first statement of each opens its origin."""

    said: dict[str, list[Signed]]

    @property
    def digests(self) -> set[bytes]:
        """Every statement."""
        return {signed.digest for said in self.said.values() for signed in said}

    def part(self, first: float, last: float) -> "Traffic":
        """What each body says between two fractions of its words."""
        return Traffic({body: said[int(len(said) * first) : int(len(said) * last)] for body, said in self.said.items()})


def letters(stage: Stage, bodies: Sequence[str], count: int, random: Random, size: int = 700) -> Traffic:
    """`count` letters of about 1 KB, from each body to one or two of the others."""
    said: dict[str, list[Signed]] = {}
    file = random.randbytes(size)
    for number, body in enumerate(bodies):
        speaker = stage.speaker(body)
        others = [other for other in bodies if other != body]
        share = range(number, count, len(bodies))
        said[body] = [
            speaker.open(),
            *(speaker.letter(*random.sample(others, random.randint(1, 2)), files=(file,)) for _ in share),
        ]
    return Traffic(said)


async def hand_in(stage: Stage, traffic: Traffic) -> None:
    """Submit it, all bodies at once.

    After a failure a body goes back to what is not known to be in the topic, as an agent would: the
    exchange then sees statements twice, which it must recognise.
    """
    async with asyncio.TaskGroup() as group:
        for body, said in traffic.said.items():
            group.create_task(_insist(stage, body, said))


async def _insist(stage: Stage, body: str, said: Sequence[Signed]) -> None:
    async with SubmissionProducer(stage.settings(body)) as producer:
        for start in range(0, len(said), _AT_ONCE):
            records = [Outgoing(encode(signed), body.encode()) for signed in said[start : start + _AT_ONCE]]
            while True:
                try:
                    await producer.send(records, topic=SUBMISSIONS, partition=lane_of(body, SHAPE.lanes))
                    break
                except BusError as error:
                    if not error.retriable:
                        raise
                    await asyncio.sleep(_RETRY_SECONDS)
