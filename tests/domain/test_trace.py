"""Where the steps of a letter's way stand: alike for everybody, and read from a header without trust."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.trace import Doing, SpanPlace

LETTER = bytes(range(1, 33))
IDS = st.binary(min_size=32, max_size=32)


def test_the_trace_is_found_by_the_letters_digest() -> None:
    """The first 32 hex digits of the digest."""
    place = SpanPlace.of(LETTER, Doing.DECIDE)
    assert place.trace.hex() == LETTER.hex()[:32]
    assert place == SpanPlace.of(LETTER, Doing.DECIDE)


def test_steps_stand_apart() -> None:
    """Of one letter by what is done, by whom, and of different letters."""
    places = [
        SpanPlace.of(LETTER, Doing.DECIDE),
        SpanPlace.of(LETTER, Doing.TAKE, "mfa", ""),
        SpanPlace.of(LETTER, Doing.TAKE, "mfa", "c0"),
        SpanPlace.of(LETTER, Doing.TAKE, "minjust", ""),
        SpanPlace.of(LETTER[:16] + bytes(16), Doing.DECIDE),
    ]
    assert len({place.span for place in places}) == len(places)


@given(letter=IDS.filter(lambda letter: any(letter[:16])))
def test_a_header_is_read_as_it_was_written(letter: bytes) -> None:
    """Every place that we make."""
    place = SpanPlace.of(letter, Doing.SEND, "now")
    assert SpanPlace.read(place.traceparent) == place


@given(text=st.none() | st.text(max_size=60) | st.text(alphabet="0123456789abcdef-", min_size=55, max_size=55))
def test_any_header_is_a_place_or_nothing(text: str | None) -> None:
    """Without an error; ids of nothing but zeros are none."""
    place = SpanPlace.read(text)
    assert place is None or (any(place.trace) and any(place.span) and text is not None and place.trace.hex() in text)


def test_ids_of_zeros_are_none() -> None:
    """W3C Trace Context says so."""
    assert SpanPlace.read(f"00-{'0' * 32}-{'a' * 16}-01") is None
    assert SpanPlace.read(f"00-{'a' * 32}-{'0' * 16}-01") is None
