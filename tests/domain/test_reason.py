"""The one list of reasons: complete, stable in form, and each with what to do next."""

import re

import pytest

from exchange.domain.reason import TEXTS, Reason, text


def test_every_reason_has_a_text() -> None:
    """No code without words, no words without a code."""
    assert set(TEXTS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_text_says_what_happened_and_what_to_do(reason: Reason) -> None:
    """Two short sentences, told apart by a semicolon, ready to follow a code and a colon."""
    happened, step = TEXTS[reason]
    assert text(reason) == f"{happened}; {step}"
    for sentence in (happened, step):
        assert sentence.strip() == sentence
        assert not sentence.endswith(".")
        assert len(sentence) < 80


@pytest.mark.parametrize("reason", Reason)
def test_codes_are_kebab_case(reason: Reason) -> None:
    """Codes are stable identifiers: lower-case words joined by hyphens, named as their member is."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason)
    assert reason.name == reason.value.replace("-", "_").upper()


def test_no_two_reasons_read_alike() -> None:
    """A person can tell the reasons apart by their first sentence."""
    assert len({happened for happened, _ in TEXTS.values()}) == len(Reason)
