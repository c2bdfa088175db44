"""What the paper bridge prints, and what it reads of the clerk."""

import dataclasses
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.paper.format import RECEIPT, PaperFormat
from adapters.paper.slip import Slip
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from tests.adapters.support import DIRECTORY, DRAFT, arrived, receipt

SAID = {
    "event": "registered",
    "at": "2022-03-02T10:00:00+06:00",
    "sender": "mfa",
    "message_id": "m:0001/22",
    "document_id": "doc",
    "reg_number": "кир-7",
    "reg_date": "2022-03-02",
    "reason": "",
    "clerk": "Айгүл Осмонова",
}


def said(**changes: object) -> Package:
    """What the clerk's desk writes."""
    return Package("received-x", {RECEIPT: json.dumps(SAID | changes).encode()})


def test_a_letter_is_a_page_with_its_files() -> None:
    """In the files' own order; beside them what the desk needs."""
    package = PaperFormat().render_letter(arrived(DRAFT), "ak-bulun", DIRECTORY)
    assert package.name == "letter-from-mfa"
    assert list(package.files)[2:] == ["1-Кат №77.pdf", "2-Тиркеме.txt", "3-Кат №77.p7s"]
    assert package.files["letter.pdf"].startswith(b"%PDF")
    slip = Slip.decode(package.files["delivery.json"], "")
    assert (slip.recipient, slip.sender, slip.message_id) == ("ak-bulun", "mfa", DRAFT.message_id)
    assert slip.letter == arrived(DRAFT).digest.hex()


def test_a_letter_that_cannot_be_printed() -> None:
    """Files that are missing, and names that no folder can have."""
    with pytest.raises(DocumentError) as caught:
        PaperFormat().render_letter(dataclasses.replace(arrived(DRAFT), files=()), "ak-bulun", DIRECTORY)
    assert caught.value.code == "file-missing"
    (first, *rest) = DRAFT.card.files
    card = dataclasses.replace(DRAFT.card, files=(dataclasses.replace(first, name="../x"), *rest))
    with pytest.raises(DocumentError) as caught:
        PaperFormat().render_letter(arrived(dataclasses.replace(DRAFT, card=card)), "ak-bulun", DIRECTORY)
    assert caught.value.code == "file-name-unsafe"


def test_the_clerk_s_word() -> None:
    """Registered with number and date, or refused with a reason."""
    draft = PaperFormat().parse(said(), DIRECTORY)
    assert (draft.event, draft.reason, draft.addressee) == (Event.REGISTERED, "", "mfa")
    assert draft.at == datetime(2022, 3, 2, 4, tzinfo=UTC)
    assert (draft.card.reg_number, draft.card.reg_date, draft.card.message_id) == (
        "кир-7",
        date(2022, 3, 2),
        "m:0001/22",
    )
    refused = PaperFormat().parse(said(event="refused", reg_date="", reason="нет листа", clerk=""), DIRECTORY)
    assert (refused.event, refused.reason, refused.card.reason_text) == (
        Event.REFUSED,
        "refused-by-recipient",
        "нет листа",
    )
    assert (refused.card.reg_date, refused.card.actor) == (None, None)


@pytest.mark.parametrize(
    "package",
    [
        Package("letter", {"letter.txt": b"a"}),
        Package("received", {}),
        Package("received", {RECEIPT: b"no"}),
        said(event="accepted"),
        said(at="today"),
        said(at="2022-03-02T10:00:00"),
        said(reg_date="2 March"),
        said(clerk=None),
    ],
)
def test_other_packages_are_refused(package: Package) -> None:
    """Nothing but the desk's own words goes out this way."""
    with pytest.raises(DocumentError):
        PaperFormat().parse(package, DIRECTORY)


@given(st.binary(max_size=100) | st.dictionaries(st.sampled_from(sorted(SAID)), st.text()).map(json.dumps))
def test_any_bytes_are_one_error_family(data: bytes | str) -> None:
    """Whatever lies in the folder."""
    with pytest.raises(DocumentError):
        PaperFormat().parse(Package("x", {RECEIPT: data if isinstance(data, bytes) else data.encode()}), DIRECTORY)


def test_receipts_are_not_printed() -> None:
    """Who sent for a carried body tracks the letter."""
    assert PaperFormat().render_receipt(receipt(Event.REGISTERED, DRAFT), "ak-bulun", DIRECTORY) is None
