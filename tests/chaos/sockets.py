"""Which process is at the other end of a connection on this machine."""

import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress

_CREDENTIALS = struct.Struct("3i")
_SOCK_DIAG, _BY_FAMILY, _REQUEST = 4, 20, 1
_HEADER = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBxI2s2s16s16sI8s")
_ANSWER_INODE = struct.Struct("=I")
_INODE_OFFSET = _HEADER.size + 68
_ANY_STATE = 0xFFFFFFFF
_NO_COOKIE = b"\xff" * 8


def dialler(connection: socket.socket, processes: Mapping[str, int]) -> str:
    """The name of the process that opened a connection which we accepted; empty for any other one.

    Args:
        connection: as accepted; TCP over IPv4, or a Unix socket.
        processes: those that are looked through, by name; with few handles first is quickest.
    """
    if connection.family == socket.AF_UNIX:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid = _CREDENTIALS.unpack(credentials)[0]
        return next((name for name, one in processes.items() if one == pid), "")
    inode = _inode(connection.getpeername(), connection.getsockname())
    link = f"socket:[{inode}]"
    return next((name for name, pid in processes.items() if inode and _has(pid, link)), "")


def _inode(local: tuple[str, int], remote: tuple[str, int]) -> int:
    """Of the socket that has these ends, 0 when there is none any more.

    Asked of the kernel for this one (sock_diag(7)): /proc/net/tcp lists every connection of the machine,
    thousands that are long closed among them.
    """
    ends = (_port(local), _port(remote), _address(local), _address(remote))
    question = _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, _ANY_STATE, *ends, 0, _NO_COOKIE)
    header = _HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.send(header + question)
        answer = kernel.recv(8192)
    (_, kind, _, _, _) = _HEADER.unpack_from(answer)
    return int(_ANSWER_INODE.unpack_from(answer, _INODE_OFFSET)[0]) if kind == _BY_FAMILY else 0


def _port(end: tuple[str, int]) -> bytes:
    return end[1].to_bytes(2, "big")


def _address(end: tuple[str, int]) -> bytes:
    return socket.inet_aton(end[0])


def _has(pid: int, link: str) -> bool:
    """Whether one of the process's handles is this; a process that has ended meanwhile has none."""
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as handles:
        return any(_target(handle.path) == link for handle in handles)
    return False


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - thousands of them at every connection
    except OSError:
        return ""
