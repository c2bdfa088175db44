"""What letters say at a console whose letters stand in no journal."""

from datetime import date
from typing import NoReturn

from exchange.console.contents import Contents, Written
from exchange.domain.card import FileInfo, FileRole, LetterCard, Party, Person

CARD = LetterCard(
    kind="Кат · Письмо",
    reg_number="15-955",
    reg_date=date(2026, 11, 23),
    title="О результатах правовой экспертизы проекта",
    annotation="Ченемдик укуктук актынын долбоору жөнүндө: заключение и перечень замечаний.",
    addressees=(Party(body="minjust", name="Министерство юстиции Кыргызской Республики"),),
    signatories=(Person(name="А. Б. Асанова", post="Башкы адис"),),
    files=(
        FileInfo("1", "Заключение.pdf", "application/pdf", 96_000, bytes(32), FileRole.MAIN),
        FileInfo("2", "Ченемдик актынын долбоору.docx", "application/octet-stream", 41_000, bytes(32), FileRole.ANNEX),
    ),
)


class SameForAll(Contents):
    """Every letter says the same."""

    def __init__(self, card: LetterCard = CARD) -> None:
        """Files are as many bytes as the card says."""
        super().__init__(_no_journal)
        self._written = Written(card, tuple(bytes(info.size) for info in card.files))

    async def read(self, place: int, letter: bytes) -> Written:
        """What it says, without having looked."""
        assert place >= 0
        assert letter
        return self._written


def _no_journal() -> NoReturn:
    message = "there is no journal here"
    raise AssertionError(message)
