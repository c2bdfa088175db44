"""Body codes, digests, lanes: the same as Kafka's own clients compute."""

import hashlib

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import ids
from exchange.domain.errors import ConfigurationError

BODY_CODES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_lanes_agree_with_the_java_clients_vectors(key: str, expected: int) -> None:
    """The vectors of Kafka's own UtilsTest; lane = positive hash modulo lanes (rule 2.1)."""
    assert ids.lane_of(key, 2**31) == expected & 0x7FFFFFFF
    assert ids.lane_of(key, 8) == (expected & 0x7FFFFFFF) % 8


@given(BODY_CODES, st.integers(1, 64))
def test_lanes_agree_with_aiokafka(body: str, lanes: int) -> None:
    """A second implementation finds the same lane for every body code."""
    assert ids.lane_of(body, lanes) == (murmur2(body.encode()) & 0x7FFFFFFF) % lanes


@given(BODY_CODES)
def test_body_codes_are_accepted(code: str) -> None:
    """Every text of the form is a code, unless it has a service's prefix."""
    assert ids.is_body_code(code) is not code.startswith("svc-")


@pytest.mark.parametrize(
    "text",
    ["", "MFA", "-mfa", "mfa-", "m" * 64, "m.f", "m/f", "мид", "mfa\n", "svc-router", "..", "m f", "m\x00"],
)
def test_what_is_no_body_code(text: str) -> None:
    """Separators, capitals, other scripts, services and edges are refused, with what to use instead."""
    with pytest.raises(ConfigurationError, match="use 1-63 of a-z") as caught:
        ids.body_code(text)
    assert caught.value.code == "body-code-invalid"


def test_a_body_code_is_returned() -> None:
    """A good code comes back as it is."""
    assert ids.body_code("ao-chui-07") == "ao-chui-07"


def test_digests_are_sha256() -> None:
    """A digest is SHA-256, and has the width that schemas fix."""
    assert ids.digest(b"letter") == hashlib.sha256(b"letter").digest()
    assert len(ids.ZERO_DIGEST) == len(ids.digest(b"")) == ids.DIGEST_BYTES


@given(st.binary(min_size=32, max_size=32), st.integers(1, 64))
def test_journal_partition_follows_the_letter(letter: bytes, partitions: int) -> None:
    """Everything about one letter lies in one partition, found from its first 32 bits."""
    found = ids.journal_partition(letter, partitions)
    assert found == int.from_bytes(letter[:4], "big") % partitions
    assert found == ids.journal_partition(letter[:4] + bytes(28), partitions)
