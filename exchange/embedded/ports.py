"""Ports for embedded servers, below the range from which the kernel takes ephemeral ones.

A client that reconnects to a closed port inside the ephemeral range can be given that very port as
its own end, connects to itself, and then blocks the port for the server.
"""

import socket
import time
import tomllib
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from exchange.domain.errors import ConfigurationError

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


def saved_port(config: Path, table: str = "observe") -> int:
    """The port in a table of a configuration, 0 before there is one.

    Raises:
        ConfigurationError: `configuration-unreadable`.
    """
    if not config.exists():
        return 0
    try:
        values = tomllib.loads(config.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{config} is no TOML in UTF-8 ({error}): correct the line, or remove the file"
        raise ConfigurationError(message, code="configuration-unreadable") from error
    port = values.get(table, {}).get("port", 0)
    return port if isinstance(port, int) else 0
