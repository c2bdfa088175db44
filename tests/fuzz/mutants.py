"""Near misses of bytes that are understood, always the same ones: what the fast tests try instead of a fuzzer."""

import random
from collections.abc import Iterator, Sequence

ODD = (
    b"",
    b"-1",
    b"0" * 31,
    b"9" * 40,
    b"1e999",
    b"2022-13-45",
    b"9999-12-31T23:59:59-14:00",
    b"../x",
    b"&#0;",
    b"&x;",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\xc3",
    b"<![CDATA[",
    b"null",
    b"{}",
    b"[" * 100,
    b"\x30\x80",
    b"\x84\xff\xff\xff\xff",
)
"""Pieces that parsers trip over; a dictionary for the fuzzer too."""


def mutants(seeds: Sequence[bytes], count: int, name: str) -> Iterator[bytes]:
    """`count` mutants of the seeds in turn; the same for the same name."""
    chance = random.Random(name)
    for number in range(count):
        yield _mutant(seeds[number % len(seeds)], seeds, chance)


def _mutant(seed: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    begin = chance.randint(0, len(seed))
    end = min(len(seed), begin + chance.choice((0, 1, 4, 16, 200)))
    match chance.randrange(4):
        case 0:
            piece = chance.choice(ODD)
        case 1:
            piece = chance.randbytes(chance.choice((1, 2, 8)))
        case 2:
            other = chance.choice(seeds)
            at = chance.randint(0, len(other))
            piece = other[at : at + 64]
        case _:
            return seed[:begin]
    return seed[:begin] + piece + seed[end:]
