"""Server-sent events, taken apart as the HTML standard says."""

from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES = 4 * 1024 * 1024
"""Of one message; the console's have less."""


@dataclass(frozen=True, slots=True)
class Event:
    """A message of the stream."""

    name: str
    data: str


class Events:
    """Takes in a stream's bytes, over any number of connections."""

    def __init__(self) -> None:
        """Nothing has come."""
        self.last_id = ""
        self._rest = b""

    def begin(self) -> None:
        """A new connection: what the one before left unfinished comes again."""
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Messages that end in these bytes; what is longer than any message of ours is thrown away."""
        *whole, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
        self._rest = self._rest[:MOST_BYTES]
        for message in whole:
            event = self._taken(message.decode("utf-8", "replace"))
            if event is not None:
                yield event

    def _taken(self, message: str) -> Event | None:
        name, data = "message", []
        for line in message.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "id" and "\0" not in value:
                self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data.append(value)
        return Event(name, "\n".join(data)) if data else None
