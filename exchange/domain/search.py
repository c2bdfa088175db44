"""Finding bodies by name as people type it, in Kyrgyz, Russian and English.

A name is found whatever the case, with Kyrgyz letters or the Russian ones beside them on the keyboard
(ө or о, ү or у, ң or н), with ё or е, in any order of words, by the beginnings of words, and by the
abbreviations that officials use: of a kind of body ("мин-во", "а/о") or the initials of a name ("МИД").
"""

import re
from collections.abc import Iterable

from exchange.domain.directory import Body

_SAME = str.maketrans({"ё": "е", "ө": "о", "ү": "у", "ң": "н", "ъ": "ь"})
_WORD = re.compile(r"[^\W_]+")
_MEANT = {
    "мин-во": "министерство",
    "м-во": "министерство",
    "а/о": "айыл окмоту",
    "а.о.": "айыл окмоту",
    "а/а": "айыл аймак",
    "а.а.": "айыл аймак",
    "гос.": "гос",
    "респ.": "респ",
    "обл.": "обл",
    "обл-ть": "область",
    "р-н": "район",
    "рай.": "рай",
    "г.": "город",
    "ш.": "шаар",
}
_ABBREVIATION = re.compile(rf"\b({'|'.join(map(re.escape, _MEANT))})(?!\w)")
_SMALL = frozenset({"и", "по", "при", "в", "на", "жана", "боюнча", "of", "the", "and", "for"})
"""Words that initials leave out."""


def find_bodies(bodies: Iterable[Body], wanted: str) -> list[Body]:
    """Bodies that `wanted` may mean: by code or identifier exactly, else by name; the best first.

    Args:
        bodies: among which.
        wanted: as somebody typed it; of an empty text nothing is found.
    """
    words = _words(wanted)
    if not words:
        return []
    exact = wanted.strip()
    ranked = [(rank, body.code, body) for body in bodies if (rank := _rank(body, exact, words)) is not None]
    return [body for _, _, body in sorted(ranked, key=lambda found: found[:2])]


def folded(text: str) -> str:
    """A text with nothing in it that people spell differently."""
    plain = text.casefold().translate(_SAME)
    return " ".join(_WORD.findall(_ABBREVIATION.sub(lambda found: f" {_MEANT[found[0]]} ", plain)))


def _words(text: str) -> list[str]:
    return folded(text).split()


def _rank(body: Body, exact: str, words: list[str]) -> int | None:
    """How well a body fits, 0 best; None when it does not."""
    if exact in {body.code, *body.uids}:
        return 0
    names = [_words(name) for name in (body.names.ky, body.names.ru, body.names.en) if name]
    if words in names:
        return 1
    if len(words) == 1 and any(words[0] == _initials(name) for name in names):
        return 2
    if any(all(any(part.startswith(word) for part in name) for word in words) for name in names):
        return 3
    return 4 if body.code.startswith(exact.casefold()) else None


def _initials(words: list[str]) -> str:
    return "".join(word[0] for word in words if word not in _SMALL)
