"""Fetches name what changed, and everything after anything went wrong; a broker's side of KIP-227 in memory."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11

from exchange.bus.fetch_session import keep_fetch_sessions

Places = dict[str, int]
"""Offset by topic; all topics here have one partition."""


class Broker:
    """Remembers sessions as a broker does; `asked` is what each request named, `fetched` what it would be read from."""

    def __init__(self) -> None:
        """Nothing is remembered."""
        self.room = True
        self.failure: Exception | None = None
        self.asked: list[tuple[Places, set[str]]] = []
        self._number = 0
        self._epoch = 0
        self._places: Places = {}

    async def send(self, _node: int, request: Any) -> Any:
        """As aiokafka's client."""
        await asyncio.sleep(0)
        built = request.build(FetchRequest_v11)
        named = {topic: asked[0][-3] for topic, asked in built.topics}
        forgotten = {topic for topic, _ in built.forgotten_topics_data}
        self.asked.append((named, forgotten))
        code = self._remember(built, named, forgotten)
        if self.failure is not None:
            raise self.failure
        return SimpleNamespace(error_code=code, session_id=self._number)

    def forget(self) -> None:
        """Throw the session out, as a full cache does."""
        self._number += 1

    @property
    def fetched(self) -> Places:
        """Where it would read."""
        return dict(self._places)

    def _remember(self, built: Any, named: Places, forgotten: set[str]) -> int:
        if built.session_epoch == 0:
            self._number = self._number + 1 if self.room else 0
            self._epoch, self._places = 1, dict(named)
            return 0
        if built.session_id != self._number:
            return 70
        if built.session_epoch != self._epoch:
            return 71
        self._epoch += 1
        self._places = {topic: at for topic, at in {**self._places, **named}.items() if topic not in forgotten}
        return 0


class Client:
    """What aiokafka's fetcher uses."""

    def __init__(self, broker: Broker) -> None:
        """Fetches in sessions."""
        self.send = broker.send
        keep_fetch_sessions(self)

    async def fetch(self, **places: int) -> None:
        """Ask for everything, as aiokafka always does."""
        await self.send(1, FetchRequest(100, 1, 1000, 1, [(topic, [(0, at, 500)]) for topic, at in places.items()]))


@pytest.fixture
def broker() -> Broker:
    """A fresh one."""
    return Broker()


async def test_only_what_changed_is_named(broker: Broker) -> None:
    """First all, then those whose place moved, those that came and those that went."""
    client = Client(broker)
    await client.fetch(a=1, b=5)
    await client.fetch(a=1, b=5)
    await client.fetch(a=2, b=5)
    await client.fetch(b=5, c=0)
    assert broker.asked == [({"a": 1, "b": 5}, set()), ({}, set()), ({"a": 2}, set()), ({"c": 0}, {"a"})]
    assert broker.fetched == {"b": 5, "c": 0}


@pytest.mark.parametrize("failure", [KafkaConnectionError(), asyncio.CancelledError()])
async def test_after_a_lost_answer_everything_is_named(broker: Broker, failure: BaseException) -> None:
    """Nobody knows whether the broker took the question."""
    client = Client(broker)
    await client.fetch(a=1)
    broker.failure = failure  # type: ignore[assignment]  # cancelled is no Exception
    with pytest.raises(type(failure)):
        await client.fetch(a=2)
    broker.failure = None
    await client.fetch(a=2, b=0)
    assert broker.asked[-1] == ({"a": 2, "b": 0}, set())


async def test_a_session_that_was_thrown_out(broker: Broker) -> None:
    """The question is asked again, whole, at once."""
    client = Client(broker)
    await client.fetch(a=1, b=1)
    broker.forget()
    await client.fetch(a=2, b=1)
    assert broker.asked[1:] == [({"a": 2}, set()), ({"a": 2, "b": 1}, set())]
    await client.fetch(a=2, b=1)
    assert broker.asked[-1] == ({}, set())


async def test_a_broker_without_room(broker: Broker) -> None:
    """It is asked about everything each time."""
    client = Client(broker)
    broker.room = False
    await client.fetch(a=1)
    await client.fetch(a=1)
    assert broker.asked == [({"a": 1}, set())] * 2
