"""Ports for embedded servers, below the range from which the kernel takes ephemeral ones.

A client that reconnects to a closed port inside the ephemeral range can be given that very port as
its own end, connects to itself, and then blocks the port for the server.
"""

import socket
import time
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

HOST = "127.0.0.1"
FIRST_PORT = 20_000
LAST_PORT = 31_999
_CLOSING_SECONDS = 1


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        # As Java does on Linux: connections that a stopped broker left in TIME_WAIT do not count.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
        return True


def becomes_free(port: int) -> bool:
    """Whether `port` is free now or soon: a process that was just killed closes its sockets last."""
    deadline = time.monotonic() + _CLOSING_SECONDS
    while not (free := is_free(port)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return free


def choose_ports(count: int, folder: Path, taken: Collection[int] = ()) -> list[int]:
    """Return `count` free ports; each folder begins its search elsewhere in the range.

    So two clusters that start at the same moment do not try the same ports.
    """
    free = (port for port in _candidates(folder) if port not in taken and is_free(port))
    return [next(free) for _ in range(count)]


def _candidates(folder: Path) -> Iterator[int]:
    size = LAST_PORT - FIRST_PORT + 1
    start = zlib.crc32(str(folder).encode()) % size
    for step in range(size):
        yield FIRST_PORT + (start + step) % size
