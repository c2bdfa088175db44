"""The error tree: codes, messages and whether it is worth another try."""

import pytest

from exchange.domain.errors import BusError, DocumentError, WireError, fault


def test_an_error_has_its_classs_code_and_may_have_its_own() -> None:
    """The code of the class stands unless the raiser knows better."""
    assert WireError("cut short").code == "unreadable"
    assert WireError("cut short", code="schema-unknown").code == "schema-unknown"


def test_only_trouble_that_passes_is_retriable() -> None:
    """Kafka may answer later; bytes stay what they are; the raiser may know better."""
    assert BusError("no broker").retriable
    assert not WireError("cut short").retriable
    assert BusError("denied", retriable=False).retriable is False
    assert WireError("not yet", retriable=True).retriable is True


@pytest.mark.parametrize(("place", "shown"), [("a.xml:3", "a.xml:3: no number"), ("", "no number")])
def test_a_document_error_says_where(place: str, shown: str) -> None:
    """The place stands before the message, and apart for those who show it elsewhere."""
    error = DocumentError("no number", place=place)
    assert str(error) == shown
    assert error.place == place
    assert error.code == "document-invalid"


def test_a_document_error_need_not_know_where() -> None:
    """The message alone, then, and whoever shows the place shows none."""
    error = DocumentError("no number", code="document-malformed")
    assert (str(error), error.code, error.place) == ("no number", "document-malformed", "")


def test_what_nobody_expected_is_told_by_kind_and_place() -> None:
    """Not by its text, which may quote a letter."""
    with pytest.raises(ValueError, match="Dear Minister") as raised:
        int("Dear Minister")
    told = fault(raised.value)
    assert told.startswith("ValueError in test_what_nobody_expected_is_told_by_kind_and_place, ")
    assert "test_errors.py:" in told
    assert "Dear" not in told
