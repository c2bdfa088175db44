"""The line between a process and the brokers: an ordinary one, or a thin one that breaks.

What is right in a data centre is wrong behind a modem. There a letter of a megabyte is two minutes on its way,
and whoever gives up after ten seconds sends it for ever; what is asked every five seconds uses up the line; and
whatever is under way when it breaks is sent again, so as little as possible is.
"""

import socket
from dataclasses import dataclass

from aiokafka.client import AIOKafkaClient


@dataclass(frozen=True, slots=True)
class Line:
    """How a process uses its line; seconds and bytes.

    Attributes:
        answer_seconds: how long a broker may owe an answer: longer than it holds any question of ours, a long poll or
            joining a group, and than the longest letter is under way. A frozen broker keeps its connections open;
            after this long we ask for the partition's leader again, which is another broker by then.
        delivery_seconds: how long writing may take before it counts as failed; longer than a broker needs to start.
        fetch_wait_seconds: how long a broker holds a question when there is nothing new; the first record answers it.
        fetch_bytes: most that one answer brings, though always a whole batch.
        metadata_seconds: how often the brokers are asked where partitions lie when nobody wonders.
        proof_seconds: how often the identity of topics is proven that bring nothing; those that do are proven always.
        silence_seconds: a connection on which nothing was acknowledged for so long is cut, None: by `answer_seconds`.
    """

    answer_seconds: int = 10
    delivery_seconds: float = 30.0
    fetch_wait_seconds: float = 5.0
    fetch_bytes: int = 4 * 1024 * 1024
    metadata_seconds: int = 300
    proof_seconds: float = 0.0
    silence_seconds: int | None = None


ORDINARY = Line()
THIN = Line(
    answer_seconds=300,
    delivery_seconds=600.0,
    fetch_wait_seconds=60.0,
    fetch_bytes=64 * 1024,
    metadata_seconds=3600,
    proof_seconds=3600.0,
    silence_seconds=60,
)
LINES = {"ordinary": ORDINARY, "thin": THIN}
"""By the name that settings use."""

_PROBES = 3


def watch_silence(client: AIOKafkaClient, line: Line) -> None:
    """Let the kernel cut connections on which nothing is acknowledged (RFC 5482, TCP_USER_TIMEOUT; keep-alive).

    A line that comes back with another address leaves half a connection, on which nothing ever arrives.
    """
    if line.silence_seconds is None:
        return
    ready, seconds = client.ready, line.silence_seconds

    async def watching(node_id: object, **options: object) -> bool:
        """Connect as ever, then tell the kernel."""
        found = bool(await ready(node_id, **options))
        for connection in client._conns.values():  # noqa: SLF001 - there is no option for sockets
            if (writer := connection._writer) is not None:  # noqa: SLF001
                _cut_after(seconds, writer.get_extra_info("socket"))
        return found

    client.ready = watching


def _cut_after(seconds: int, connection: socket.socket | None) -> None:
    if connection is None or connection.fileno() < 0:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds // 2)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds // 2 // _PROBES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)
