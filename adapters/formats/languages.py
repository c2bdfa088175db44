"""Two languages in a format that has one field for what a letter is about: a blank line stands between them."""

from dataclasses import replace

from adapters.formats.values import annotation_of, language_of, title_of
from exchange.agent.ports import DraftLetter
from exchange.domain.card import Translation

_BETWEEN = "\n\n"


def apart(draft: DraftLetter) -> DraftLetter:
    """The letter with its Kyrgyz and Russian texts apart, where its annotation holds one of each."""
    first, _, second = draft.card.annotation.partition(_BETWEEN)
    if not second or language_of(first) == language_of(second):
        return draft
    translation = Translation(language_of(second), title_of(second), second)
    card = replace(
        draft.card, title=title_of(first), annotation=first, language=language_of(first), translations=(translation,)
    )
    return replace(draft, card=card)


def together(draft: DraftLetter) -> DraftLetter:
    """The letter with its first translation below its own text; `apart` gives it back."""
    card = draft.card
    if not card.translations:
        return draft
    first, *others = card.translations
    both = (annotation_of(card.title, card.annotation), annotation_of(first.title, first.annotation))
    annotation = _BETWEEN.join(both)
    return replace(
        draft, card=replace(card, title=title_of(annotation), annotation=annotation, translations=tuple(others))
    )
