"""What a printed letter says about itself to machines."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.paper.slip import Slip, read_code
from exchange.domain.errors import DocumentError

LETTER = "f8" * 32
NOW = datetime(2022, 3, 1, 3, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)


def slip(message_id: str = "m:0001/22") -> Slip:
    """One of ak-bulun."""
    return Slip(LETTER, "ak-bulun", "mfa", message_id, "doc", "11-10/77", NOW)


def test_the_code_names_the_letter() -> None:
    """Its recipient, its id in the exchange, and the sender's own id."""
    assert slip().code == f"KG-EXCHANGE/1 ak-bulun {LETTER} m:0001/22"
    assert read_code(f" {slip().code}\n") == ("ak-bulun", LETTER)
    assert read_code(slip("").code) == ("ak-bulun", LETTER)


@given(TEXT)
def test_any_message_id_gives_a_code_that_is_read(message_id: str) -> None:
    """On one line, and short enough to be printed."""
    code = slip(message_id).code
    assert code.isprintable()
    assert len(code) <= 160
    assert read_code(code) == ("ak-bulun", LETTER)


@pytest.mark.parametrize(
    "text", ["", "hello", f"KG-EXCHANGE/2 ak-bulun {LETTER}", f"KG-EXCHANGE/1 ../x {LETTER}", "KG-EXCHANGE/1 mfa f8"]
)
def test_other_codes_are_refused(text: str) -> None:
    """A clerk who scans something else is told so."""
    with pytest.raises(DocumentError) as caught:
        read_code(text)
    assert caught.value.code == "paper-code-unreadable"


@given(message_id=TEXT, number=TEXT)
def test_the_record_comes_back(message_id: str, number: str) -> None:
    """Whatever the sender's ids are."""
    written = Slip(LETTER, "ak-bulun", "mfa", message_id, "doc", number, NOW)
    assert Slip.decode(written.encode(), "delivery.json") == written


@pytest.mark.parametrize(
    "data",
    [
        b"\xff",
        b"[]",
        b"{}",
        json.dumps(json.loads(slip().encode()) | {"created": "now"}).encode(),
        json.dumps(json.loads(slip().encode()) | {"sender": 7}).encode(),
        slip().encode().replace(b"mfa", b"\\ud800"),
    ],
)
def test_an_altered_record_is_refused(data: bytes) -> None:
    """One error family, with its place."""
    with pytest.raises(DocumentError, match=r"^delivery\.json"):
        Slip.decode(data, "delivery.json")
