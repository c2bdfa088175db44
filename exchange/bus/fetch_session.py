"""Incremental fetches (KIP-227): a question names only the partitions whose place has changed.

aiokafka names all its partitions in every fetch, and is answered about all of them. For a gateway of 452 inboxes
that is 60 KB for every record that arrives, and the work of writing and reading them. A broker remembers
what was asked when it is told so; then an idle inbox costs nothing.

A session is of one broker. After an answer that is lost or refused nobody knows where it stands: then it is begun
anew with a whole question, which also ends the old one.
"""

from dataclasses import dataclass, field
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

_NOT_FOUND, _WRONG_EPOCH = 70, 71
_LAST_EPOCH = 2**31 - 1

_Places = dict[tuple[str, int], tuple[int, int]]
"""Offset and most bytes, by partition."""


@dataclass(slots=True)
class _Session:
    """What one broker remembers; epoch 0: nothing, and it is asked to begin."""

    number: int = 0
    epoch: int = 0
    places: _Places = field(default_factory=dict)

    def asked(self, places: _Places) -> None:
        """It will remember this once it has answered."""
        self.places = places

    def answered(self, number: int) -> None:
        """It remembers; 0: it has no room, and must be asked about everything each time."""
        full = number == 0 or self.epoch == _LAST_EPOCH
        self.number, self.epoch = number, 0 if full else self.epoch + 1

    def lost(self) -> None:
        """Nobody knows what it remembers."""
        self.epoch = 0


class _SessionFetch(FetchRequest):  # type: ignore[misc]  # aiokafka has no types
    """A fetch within a session: what changed, and what is to be forgotten."""

    def __init__(self, whole: FetchRequest, session: _Session) -> None:
        """Ask for what `whole` asks for, given what the broker remembers."""
        places = {(topic, number): (at, most) for topic, asked in whole.topics for number, at, most in asked}
        known = session.places if session.epoch else {}
        changed: dict[str, list[tuple[int, int, int]]] = {}
        for (topic, number), (at, most) in places.items():
            if known.get((topic, number)) != (at, most):
                changed.setdefault(topic, []).append((number, at, most))
        self._forgotten: dict[str, list[int]] = {}
        for topic, number in known.keys() - places.keys():
            self._forgotten.setdefault(topic, []).append(number)
        self._session = session.number, session.epoch
        super().__init__(
            whole._max_wait_ms,  # noqa: SLF001 - it tells nobody what it was made of
            whole._min_bytes,  # noqa: SLF001
            whole._max_bytes,  # noqa: SLF001
            whole._isolation_level,  # noqa: SLF001
            list(changed.items()),
        )
        session.asked(places)

    def build(self, request_struct_class: Any) -> Any:
        """The request in the version that the broker speaks: all that this exchange runs on know sessions."""
        built = super().build(request_struct_class)
        built.session_id, built.session_epoch = self._session
        built.forgotten_topics_data = list(self._forgotten.items())
        return built


def keep_fetch_sessions(client: AIOKafkaClient) -> None:
    """Let a consumer's client fetch in sessions from now on."""
    send, sessions = client.send, dict[Any, _Session]()

    async def fetching(node: Any, request: Any, **options: Any) -> Any:
        """Send; of a fetch only what changed."""
        if not isinstance(request, FetchRequest):
            return await send(node, request, **options)
        session = sessions.setdefault(node, _Session())
        try:
            response = await send(node, _SessionFetch(request, session), **options)
            if response.error_code in {_NOT_FOUND, _WRONG_EPOCH}:
                session.lost()
                response = await send(node, _SessionFetch(request, session), **options)
        except BaseException:
            session.lost()
            raise
        session.answered(response.session_id)
        return response

    client.send = fetching
