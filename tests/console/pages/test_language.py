"""Which language a visitor gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.console.pages.language import Language, choose_language


@pytest.mark.parametrize(
    ("cookie", "accept", "expected"),
    [
        ("", "", Language.KY),
        ("ru", "en", Language.RU),
        ("de", "en", Language.EN),
        ("", "de, ru;q=0.5, en;q=0.7", Language.EN),
        ("", "ru-RU,ru;q=0.9", Language.RU),
        ("", "de;q=x, *;q=0.1", Language.KY),
    ],
)
def test_choice(cookie: str, accept: str, expected: Language) -> None:
    """The cookie first, then the browser's wishes in their order, then Kyrgyz."""
    assert choose_language(cookie, accept) is expected


@settings(max_examples=50)
@given(st.text(), st.text())
def test_any_header_has_a_language(cookie: str, accept: str) -> None:
    """Nothing that a browser sends breaks it."""
    assert choose_language(cookie, accept) in set(Language)
