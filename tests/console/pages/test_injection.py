"""SQL in the words of pages: they are texts like any other, and the tables stay as they are."""

import re

import pytest

from exchange.store.database import Store
from tests.console.seeded import AUDITOR, client

WORDS = {
    "/letters": ("to", "from", "state", "reason", "kind", "urgency", "stage", "next", "late", "age", "moved", "q"),
    "/failures": ("age", "reason"),
    "/routes": ("age", "by"),
    "/bodies": ("q", "status", "silent", "after"),
    "/report": ("month", "body", "kind"),
    "/search": ("q",),
}
SQL = ("' OR '1'='1", "x'; DROP TABLE letters; --", "%", "_", "\\", "1) UNION SELECT login, password FROM accounts --")
_LINES = re.compile(r"<strong>([0-9,]+\+?)</strong>\s*deliver")


@pytest.mark.parametrize("path", sorted(WORDS))
async def test_words_are_texts(seeded: Store, path: str) -> None:
    """No answer is an error; a filter that is none is told and leaves nothing out, one that is leaves all out."""
    async with client(seeded, AUDITOR) as browser:
        (whole,) = _LINES.findall((await browser.get("/letters")).text)
        for word in WORDS[path]:
            for text in SQL:
                answer = await browser.get(path, params={word: text})
                assert answer.status_code in {200, 303}, (word, text)
                assert "password" not in answer.text.replace("/account/password", "") or text in SQL[-1], (word, text)
                if path == "/letters":
                    is_told = "There is a problem" in answer.text
                    assert _LINES.findall(answer.text) == [whole if is_told else "0"], (word, text)
        assert _LINES.findall((await browser.get("/letters")).text) == [whole]
