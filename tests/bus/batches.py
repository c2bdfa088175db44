"""Hand-made record batches (KIP-98), as nobody's client would write them."""

import struct
import zlib
from collections.abc import Callable, Iterable

import cramjam
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from exchange.bus.connection import KafkaSettings, aiokafka_options

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
MEGABYTE = 1024 * 1024

_SINCE_CRC = struct.Struct(">hiqqqhii")


def varint(number: int) -> bytes:
    """Zigzag varint, as record fields have it."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def record(value: bytes, offset: int = 0, headers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """One record without a key."""
    listed = list(headers)
    written = b"".join(varint(len(name)) + name + varint(len(text)) + text for name, text in listed)
    body = b"\0\0" + varint(offset) + varint(-1) + varint(len(value)) + value + varint(len(listed)) + written
    return varint(len(body)) + body


def batch(
    records: bytes, *, count: int = 1, codec: int = 0, producer: int = -1, epoch: int = -1, sequence: int = -1
) -> bytes:
    """A batch around `records`, packed or not, with a CRC that holds, in the name of any producer."""
    since_crc = _SINCE_CRC.pack(codec, count - 1, 0, 0, producer, epoch, sequence, count) + records
    crc = calc_crc32c(since_crc)
    return struct.pack(">qiibI", 0, len(since_crc) + 9, -1, 2, crc) + since_crc


def zeros(size: int) -> tuple[bytes, bytes]:
    """Beginning and end of one record whose value is `size` zeros."""
    after_length = b"\0\0" + varint(0) + varint(-1) + varint(size)
    return varint(len(after_length) + size + 1) + after_length, varint(0)


def bomb(codec: int, megabytes: int) -> bytes:
    """A batch of one record, `megabytes` of zeros, written without ever having that much memory."""
    begin, end = zeros(megabytes * MEGABYTE)
    return batch(_PACKERS[codec]([begin, *([bytes(MEGABYTE)] * megabytes), end]), codec=codec)


def _zstd(chunks: Iterable[bytes]) -> bytes:
    packer = cramjam.zstd.Compressor()
    for chunk in chunks:
        packer.compress(chunk)
    return bytes(packer.finish())


def _lz4(chunks: Iterable[bytes]) -> bytes:
    packer = cramjam.lz4.Compressor(level=9, content_checksum=False, block_linked=False)
    for chunk in chunks:
        packer.compress(chunk)
    return bytes(packer.finish())


def _gzip(chunks: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return b"".join([*map(packer.compress, chunks), packer.flush()])


def _snappy(chunks: Iterable[bytes]) -> bytes:
    blocks = (bytes(cramjam.snappy.compress_raw(chunk)) for chunk in chunks)
    header = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)
    return header + b"".join(struct.pack(">i", len(block)) + block for block in blocks)


_PACKERS: dict[int, Callable[[Iterable[bytes]], bytes]] = {GZIP: _gzip, SNAPPY: _snappy, LZ4: _lz4, ZSTD: _zstd}


async def produce(settings: KafkaSettings, topic: str, batches: Iterable[bytes]) -> list[int]:
    """Write batches as they are; error codes of the broker's answers."""
    client = AIOKafkaClient(**aiokafka_options(settings))
    await client.bootstrap()
    codes = []
    try:
        for raw in batches:
            request = ProduceRequest(
                required_acks=-1, timeout=30_000, topics=[(topic, [(0, raw)])], transactional_id=None
            )
            response = await client.send(client.get_random_node(), request)
            codes.append(response.topics[0][1][0][1])
    finally:
        await client.close()
    return codes
