"""Ask a broker over mutual TLS who belongs to its cluster, in one request and without a client.

A client library would retry, log and cache; here the answer "not yet" is the expected one.
Layouts: Kafka protocol guide, Metadata request and response version 4.
"""

import socket
import ssl
import struct

from exchange.embedded.ports import HOST

_METADATA_API, _VERSION, _CORRELATION = 3, 4, 7
_CLIENT = b"exchange-probe"
_NO_TOPICS, _NO_AUTO_CREATION = 0, 0
_MOST_BYTES = 1_000_000


def live_brokers(port: int, context: ssl.SSLContext, timeout_seconds: float) -> frozenset[int]:
    """Return the ids of the brokers that the one at `port` knows as live.

    Raises:
        OSError: Nobody listens, TLS failed (`ssl.SSLError`), or no answer in time.
        struct.error: The answer is not Kafka's.
    """
    request = struct.pack(
        f">hhih{len(_CLIENT)}sib",
        *(_METADATA_API, _VERSION, _CORRELATION, len(_CLIENT), _CLIENT),
        *(_NO_TOPICS, _NO_AUTO_CREATION),
    )
    with (
        socket.create_connection((HOST, port), timeout_seconds) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secure,
    ):
        secure.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", _read(secure, 4))
        return _broker_ids(_read(secure, min(size, _MOST_BYTES)))


def _read(stream: ssl.SSLSocket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        piece = stream.recv(size - len(received))
        if not piece:
            raise ConnectionResetError("the broker closed the connection")
        received += piece
    return bytes(received)


def _broker_ids(answer: bytes) -> frozenset[int]:
    """Read correlation, throttle time, then the array of (id, host, port, rack)."""
    _correlation, _throttle_ms, count = struct.unpack_from(">iii", answer)
    place, ids = 12, []
    for _ in range(count):
        number, host_length = struct.unpack_from(">ih", answer, place)
        place += 6 + max(host_length, 0) + 4
        (rack_length,) = struct.unpack_from(">h", answer, place)
        place += 2 + max(rack_length, 0)
        ids.append(number)
    return frozenset(ids)
