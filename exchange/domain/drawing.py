"""Texts as a printed page can show them: whatever people wrote, setting it takes bounded work and known letters."""

import re

_NOT_DRAWN = re.compile(
    "[^\n \x21-\x7e\xa0-\xac\xae-\u036f\u0384-\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ff\u0400-\u04ff"
    "\u2010-\u2027\u2030-\u203a\u20ac\u20bd\u20c0\u2116\u2122\u2190\u2192]"
)
"""All but the letters of Kyrgyz, Russian, Latin and Greek, and what offices write between them."""
_SPACES = re.compile(" {2,}")
_ENDLESS = re.compile(r"(\S{80})(?=\S)")
_MISSING = "\ufffd"


def drawn(value: object) -> object:
    """The same values with every text as the fonts of printed pages can show it."""
    if isinstance(value, dict):
        return {name: drawn(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [drawn(item) for item in value]
    return _drawn_text(value) if isinstance(value, str) else value


def _drawn_text(text: str) -> str:
    """Endless words are cut: Typst cannot break a line in them, nor set one of more than 64 KB."""
    return _ENDLESS.sub(r"\1 ", _SPACES.sub(" ", _NOT_DRAWN.sub(_MISSING, text.replace("\t", " "))))
