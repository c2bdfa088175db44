"""What GOST R 53898 has no field for, in the `Expansion` of this exchange: a name, of what, a value."""

from collections.abc import Iterable, Iterator

from adapters.formats.gost53898.words import EXPANSION, SUBSCRIPTIONS
from adapters.formats.tree import Reader
from adapters.formats.values import annotation_of, language_of, write_date
from exchange.agent.ports import DraftLetter
from exchange.domain.card import FileInfo, FileRole, Translation
from exchange.domain.statement import AckPolicy, Urgency

_TITLE, _ANNOTATION = "translation-title", "translation-annotation"


class Additions:
    """The fields of an expansion, read; those of another organisation stay extras."""

    def __init__(self, expansion: Reader | None) -> None:
        """Read an expansion, which may be absent."""
        self._fields: dict[tuple[str, str], str] = {}
        if expansion is not None and expansion.attr_if("Organization", EXPANSION):
            fields = expansion.all("Field")
            self._fields = {(field.attr("Name"), field.attr("Of")): field.text() for field in fields}

    @classmethod
    def none(cls) -> "Additions":
        """No fields at all."""
        return cls(None)

    def get(self, name: str, of: str = "") -> str:
        """A value, empty where nothing is said."""
        return self._fields.get((name, of), "")

    def translations(self) -> tuple[Translation, ...]:
        """Title and annotation in further languages, in the order in which they stand."""
        languages = dict.fromkeys(of for name, of in self._fields if name in {_TITLE, _ANNOTATION})
        return tuple(Translation(each, self.get(_TITLE, each), self.get(_ANNOTATION, each)) for each in languages)


def additions(draft: DraftLetter, files: Iterable[tuple[str, FileInfo]]) -> Iterator[tuple[str, str, str]]:
    """Name, of what, and value of the fields to write, some values empty; `files` are those listed, with their ids."""
    card = draft.card
    yield "purpose", "", card.purpose
    yield "urgency", "", "" if draft.urgency is Urgency.ROUTINE else draft.urgency.value
    yield "access-basis", "", card.access_basis
    yield "access-until", "", write_date(card.access_until)
    guessed = language_of(annotation_of(card.title, card.annotation))
    yield "language", "", "" if card.language == guessed else card.language
    yield "personal-data", "", "true" if card.personal_data else ""
    yield "ack", "", draft.ack.value if draft.ack is AckPolicy.ERRORS else ""
    known = {event.value for event in SUBSCRIPTIONS.values()}
    yield "wanted", "", " ".join(event for event in draft.wanted if event not in known)
    for translation in card.translations:
        yield _TITLE, translation.language, translation.title
        yield _ANNOTATION, translation.language, translation.annotation
    for index, (ident, info) in enumerate(files):
        role = FileRole.ANNEX if index else FileRole.MAIN
        yield "file-role", ident, "" if info.role is role else info.role.value
        yield "file-pages", ident, str(info.pages) if info.pages else ""
