"""Which process is at the other end of a connection on this machine."""

import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
_LOCAL, _REMOTE, _INODE = 1, 2, 9
"""Columns of /proc/net/tcp."""


def dialler(connection: socket.socket, processes: Mapping[str, int]) -> str:
    """The name of the process that opened a connection which we accepted; empty for any other one.

    Args:
        connection: as accepted; TCP over loopback, or a Unix socket.
        processes: those that are looked through, by name.
    """
    if connection.family == socket.AF_UNIX:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        found = [_CREDENTIALS.unpack(credentials)[0]]
    else:
        inode = _inode(connection.getpeername()[1], connection.getsockname()[1])
        found = [pid for pid in processes.values() if inode and _has(pid, f"socket:[{inode}]")]
    return next((name for name, pid in processes.items() if pid in found), "")


def _inode(local: int, remote: int) -> str:
    """Of the end of a connection that has these ports, as the kernel lists it; empty when it is closed."""
    for columns in _rows():
        if (_port(columns[_LOCAL]), _port(columns[_REMOTE])) == (local, remote):
            return columns[_INODE]
    return ""


def _rows() -> Iterator[list[str]]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        lines = Path(table).read_text(encoding="ascii").splitlines()
        yield from (line.split() for line in lines[1:])


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _has(pid: int, link: str) -> bool:
    """Whether one of the process's handles is this; a process that has ended meanwhile has none."""
    try:
        return any(_target(handle) == link for handle in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
