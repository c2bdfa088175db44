"""The report: complete in three languages, and nothing in it that is withheld or that a letter orders."""

import re

import pytest

from exchange.console.evidence.printing import Reports
from exchange.console.pages.language import Language
from exchange.domain.statement import Signed
from exchange.services.evidence.gathering import gather
from exchange.services.evidence.package import Case, make_case
from tests.journal.synthetic import SyntheticJournal
from tests.services.evidence.memory import MemoryArchive
from tests.world import BODIES, World, described, letter_card

TITLE = "<script>alert(1)</script> О переходе №5"
FILES = (b"%PDF-1.4",)


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """A letter with a title that would be a script, registered; the same withheld; and one that was refused."""
    journal = SyntheticJournal(World(tmp_path_factory.mktemp("report"), bodies=(*BODIES, "exchange-tracker")))
    letter = journal.letter("alpha", "beta", files=FILES, card=letter_card(title=TITLE, files=described(FILES)))
    journal.registered("beta", letter, "alpha", "77-1")
    journal.receipt("beta", letter, "alpha", "no-such-event")
    journal.say("exchange-tracker", journal.speaker("exchange-tracker").deadline(letter, "alpha", "beta"))
    refused = journal.letter("alpha", "nobody")
    archive = MemoryArchive(journal)
    return {
        "whole": case_of(archive, letter),
        "withheld": case_of(archive, letter, "card"),
        "refused": case_of(archive, refused),
    }


def case_of(archive: MemoryArchive, letter: Signed, *withhold: str) -> Case:
    """The case of a letter."""
    published = archive.journal.world.published
    gathered = gather(archive, letter.digest, published, archive.policy)
    return make_case(gathered, published, archive.policy_text, withhold, stamped=False)


def test_every_language_tells_what_happened(cases: dict[str, Case]) -> None:
    """With the events' names in ETSI's words, and the commands to check each statement."""
    files = Reports()(cases["whole"])
    assert list(files) == ["report.ky.html", "report.ru.html", "report.en.html", "report.pdf"]
    for language, word in ((Language.KY, "Катталды"), (Language.RU, "Зарегистрировано"), (Language.EN, "Registered")):
        page = files[f"report.{language.value}.html"].decode()
        assert word in page
        assert "ConsignmentAcceptance" in page
        assert "AcceptanceRejectionExpiry" in page
        assert page.count("openssl cms -verify") == 6
        assert f'<html lang="{language.value}">' in page


def test_nothing_that_people_wrote_commands_the_page(cases: dict[str, Case]) -> None:
    """A title is text."""
    page = Reports()(cases["whole"])["report.en.html"].decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; О переходе №5" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!report\.)", page)


def test_a_withheld_card_is_not_in_the_report(cases: dict[str, Case]) -> None:
    """Neither title nor number; that it is withheld is said."""
    files = Reports()(cases["withheld"])
    page = files["report.ru.html"].decode()
    assert "О переходе" not in page
    assert "01-5/123" not in page
    assert "не раскрыто" in page


def test_a_refusal_is_told_with_its_reason(cases: dict[str, Case]) -> None:
    """In words and by its code."""
    page = Reports()(cases["refused"])["report.en.html"].decode()
    assert "Rejected by the exchange" in page
    assert "(recipient-unknown)" in page


def test_the_pdf_repeats_and_has_all_languages(cases: dict[str, Case]) -> None:
    """The same case gives the same bytes."""
    case = cases["whole"]
    first, second = Reports()(case)["report.pdf"], Reports()(case)["report.pdf"]
    assert first.startswith(b"%PDF-1.7")
    assert first == second
