"""Texts as printed pages show them."""

from exchange.domain.drawing import drawn


def test_texts_are_drawn_with_letters_that_the_fonts_have() -> None:
    """Others are shown as missing; endless words get places to break."""
    assert drawn(("Ө\U0001f600", {"x": ["a\tb"]})) == ["Ө\ufffd", {"x": ["a b"]}]
    assert drawn("a" * 200) == " ".join(("a" * 80, "a" * 80, "a" * 40))
