"""Connections over a thin line are cut by the kernel when nothing is acknowledged."""

import socket
from types import SimpleNamespace
from typing import Any

from exchange.bus.line import ORDINARY, THIN, watch_silence


class Client:
    """What is used of aiokafka's: a connection that is made when a node is to be ready."""

    def __init__(self, connection: socket.socket) -> None:
        """Not connected yet."""
        self._connection = connection
        self._conns: dict[int, Any] = {}

    async def ready(self, node: int, *, group: int = 0) -> bool:
        """Connect."""
        writer = SimpleNamespace(get_extra_info=lambda _name: self._connection)
        self._conns[node + group] = SimpleNamespace(_writer=writer)
        return True


async def test_silence_is_watched_on_a_thin_line_only() -> None:
    """TCP_USER_TIMEOUT (RFC 5482) for what was said, keep-alive for who only listens."""
    with socket.socket() as connection:
        for line, seconds in ((ORDINARY, 0), (THIN, 60)):
            client = Client(connection)
            watch_silence(client, line)
            assert await client.ready(1, group=1)
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == seconds * 1000
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
