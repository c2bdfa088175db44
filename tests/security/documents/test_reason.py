"""Every word of a report is explained."""

from pathlib import Path

from exchange.security.documents import SignatureReason, SignatureStatus

PAGE = Path(__file__).parents[3] / "docs" / "document-signatures.md"


def test_each_word_has_its_row() -> None:
    """On the page that people are sent to."""
    table = PAGE.read_text(encoding="utf-8").partition("## What is found")[2]
    words: list[str] = [*SignatureStatus, *SignatureReason]
    assert [word for word in words if f"`{word}`" not in table] == []
