"""e-Kyzmat: records of staff, their rules, and their way into a file and back."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from adapters.formats.files import file_info
from adapters.formats.json_profile import JsonFormat
from adapters.formats.json_profile.documents import LETTER_FILE
from adapters.formats.medo import MedoFormat
from adapters.formats.staff import E_KYZMAT, EKyzmatFormat
from adapters.formats.staff.records import FILE_NAME, MEDIA_TYPE
from adapters.schemas import SCHEMAS
from exchange.agent.ports import DraftLetter, Package
from exchange.cli import app
from exchange.domain.card import DocumentSignature, FileRole, Person
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.statement import Access
from tests.adapters.formats.campaign import (
    attestations,
    campaign_staff,
    personal_number,
    receipt_of_letter,
    staff_package,
)
from tests.adapters.support import DIRECTORY, DRAFT, NOW, arrived, draft_of, letter_of, receipt, receipt_of
from tests.strategies import mutations

FORMAT = EKyzmatFormat()
EMPLOYEE = {"personal_number": personal_number(0), "surname": "Асанов", "given_name": "Үсөн"}
BASE = {"id": "r-1", "employee": EMPLOYEE, "order": {"number": "7-к", "date": "2026-03-01"}}
APPOINTMENT = {**BASE, "type": "appointment", "position": {"title": "Башкы адис"}, "first_day": "2026-03-02"}
TRANSFER = {
    **BASE, "type": "transfer", "previous": {"title": "Адис"}, "position": {"title": "Башкы адис", "department": "ИТ"},
    "first_day": "2026-03-02", "body": "mfa",
}  # fmt: skip
LEAVE = {**BASE, "type": "leave", "leave": "annual", "first_day": "2026-03-02", "last_day": "2026-03-30"}
ATTESTATION = attestations()[0]


def read(staff: dict[str, Any], **said: Any) -> DraftLetter:
    """The letter of a ministry with these records."""
    return letter_of(FORMAT.parse(staff_package("kat", "m-1", "minjust", staff, **said), DIRECTORY))


def refused(staff: Any, fmt: EKyzmatFormat | JsonFormat = FORMAT, **said: Any) -> DocumentError:
    """The error that a letter with these records is refused with."""
    with pytest.raises(DocumentError) as caught:
        fmt.parse(staff_package("kat", "m-1", "minjust", staff, **said), DIRECTORY)
    return caught.value


@pytest.mark.parametrize("record", [APPOINTMENT, TRANSFER, LEAVE, ATTESTATION], ids=lambda record: str(record["type"]))
def test_each_kind_of_record_there_and_back(record: dict[str, Any]) -> None:
    """It travels as a file with its media type, and stands in the recipient's letter as it was, unknown members too."""
    staff = {"records": [{**record, "beyond": [1.50]}], "more": None}
    draft = read(staff, barcode=7)
    (info,) = draft.card.files
    assert (info.name, info.media_type, info.role) == (FILE_NAME, MEDIA_TYPE, FileRole.DATA)
    package = FORMAT.render_letter(arrived(draft), "minjust", DIRECTORY)
    tree = json.loads(package.files[LETTER_FILE])
    jsonschema.Draft202012Validator(SCHEMAS["staff-letter.json"]()).validate(tree)
    jsonschema.Draft202012Validator(SCHEMAS["staff.json"]()).validate(json.loads(draft.files[0]))
    assert (tree["staff"], tree["barcode"], "files" in tree, set(package.files)) == (staff, 7, False, {LETTER_FILE})
    assert letter_of(FORMAT.parse(package, DIRECTORY)).files == draft.files


@pytest.mark.parametrize("access", ["public", "restricted", "confidential"])
def test_records_are_personal_data(access: str) -> None:
    """Whatever the document says: nobody must remember to mark them."""
    draft = read({"records": [LEAVE]}, access=access, personal_data=False)
    assert (draft.access, draft.card.personal_data) == (Access.CONFIDENTIAL, True)
    without = letter_of(FORMAT.parse(JsonFormat().write(DRAFT, NOW, DIRECTORY, "kat"), DIRECTORY))
    assert (without.access, without.card.personal_data) == (Access.RESTRICTED, False)


def answer(**said: str) -> dict[str, Any]:
    """An answer to the first record."""
    return {"answers": [{"record": "r-1", "outcome": "refused", "reason": "башка кызматкер", **said}]}


@pytest.mark.parametrize(
    ("staff", "place"),
    [
        ({}, "/staff"),
        ([], "/staff"),
        ({"records": [{**LEAVE, "type": "s3cret"}]}, "/staff/records/0/type"),
        ({"records": [{**LEAVE, "leave": "s3cret"}]}, "/staff/records/0/leave"),
        ({"records": [{**LEAVE, "employee": {**EMPLOYEE, "personal_number": "s3cret"}}]},
         "/staff/records/0/employee/personal_number"),
        ({"records": [{**LEAVE, "last_day": "2026-02-30"}]}, "/staff/records/0/last_day"),
        ({"records": [{**LEAVE, "last_day": "2026-03-01"}]}, "/staff/records/0/last_day"),
        ({"records": [LEAVE, {**TRANSFER, "id": "r-2"}, APPOINTMENT]}, "/staff/records/2/id"),
        ({"records": [{**APPOINTMENT, "mode": "temporary"}]}, "/staff/records/0"),
        ({"records": [{**APPOINTMENT, "probation_until": "2026-03-01"}]}, "/staff/records/0/probation_until"),
        ({"records": [{**APPOINTMENT, "last_day": "2026-03-01"}]}, "/staff/records/0/last_day"),
        ({"records": [{**ATTESTATION, "valid_until": None}]}, "/staff/records/0/valid_until"),
        ({"records": [{**ATTESTATION, "valid_until": "2026-02-16"}]}, "/staff/records/0/valid_until"),
        ({"records": [{**ATTESTATION, "result": "failed"}]}, "/staff/records/0/valid_until"),
        ({"records": [{**ATTESTATION, "score": 101}]}, "/staff/records/0/score"),
        (campaign_staff([{**ATTESTATION, "held_on": "2026-03-01"}]), "/staff/records/0/held_on"),
        (answer(reason=""), "/staff/answers/0"),
        ({"answers": answer()["answers"] * 2}, "/staff/answers/1/record"),
    ],
)  # fmt: skip
def test_what_is_refused(staff: Any, place: str) -> None:
    """With line and field, and never a word of what was written."""
    error = refused(staff)
    assert error.code == "document-invalid"
    assert error.place.split(", ")[2].startswith(place)
    assert "s3cret" not in str(error)
    assert "Асанов" not in str(error)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"held_on": "17.02.2026"}, "held_on"), ({"valid_until": "2026-01-01"}, "valid_until")],
    ids=["misshapen", "against-a-rule"],
)
def test_all_faults_are_told_at_once(wrong: dict[str, Any], field: str) -> None:
    """Twenty of them; who wrote thirty records by hand corrects them in one go."""
    few = [{**record, **wrong} if index in {3, 16, 21} else record for index, record in enumerate(attestations())]
    error = refused({"records": few})
    places = [
        place for fault in (str(error), *error.others) for place in re.findall(r"/staff/records/(\d+)/(\w+):", fault)
    ]
    assert places == [("3", field), ("16", field), ("21", field)]
    assert len(refused({"records": [{**record, **wrong} for record in attestations()]}).others) == 19


def test_records_stand_in_one_place() -> None:
    """Inside or in a file: in both they could differ."""
    inline = {"name": "staff.json", "content": "e30="}
    assert refused({"records": [LEAVE]}, files=[inline]).code == "file-name-repeated"
    typed = {"name": "x.json", "media_type": MEDIA_TYPE, "content": "e30="}
    assert refused({"records": [LEAVE]}, files=[typed]).code == "file-name-repeated"


def with_file(data: bytes, **changes: Any) -> DraftLetter:
    """A letter with a file of records, as any format may bring it."""
    info = replace(file_info("staff", "кызмат.json", data, FileRole.DATA), media_type=MEDIA_TYPE)
    card = replace(draft_of("medo-2.6").card, files=(info,), signatures=())
    return replace(DRAFT, card=replace(card, **changes), files=(data,))


def test_a_file_of_records_is_validated_too() -> None:
    """On the way out and on the way in; a good one goes inside."""
    good = json.dumps({"records": [LEAVE]}).encode()
    sent = letter_of(FORMAT.parse(JsonFormat().write(with_file(good), NOW, DIRECTORY, "kat"), DIRECTORY))
    assert (sent.access, sent.card.personal_data, sent.files) == (Access.CONFIDENTIAL, True, (good,))
    tree = json.loads(FORMAT.render_letter(arrived(sent), "minjust", DIRECTORY).files[LETTER_FILE])
    assert tree["staff"] == {"records": [LEAVE]}
    bad = json.dumps({"records": [{**LEAVE, "last_day": "2026-03-01"}]}).encode()
    for way in (
        lambda: FORMAT.parse(JsonFormat().write(with_file(bad), NOW, DIRECTORY, "kat"), DIRECTORY),
        lambda: FORMAT.render_letter(arrived(with_file(bad)), "minjust", DIRECTORY),
    ):
        with pytest.raises(DocumentError, match=r"^file 1 of the letter, line 1, /records/0/last_day: "):
            way()


def test_signed_records_stay_a_file() -> None:
    """The signature is of the file's bytes."""
    good = json.dumps({"records": [LEAVE]}, indent=3).encode()
    draft = with_file(good)
    p7s = file_info("p7s", "кызмат.p7s", b"0\x82", FileRole.DATA)
    signature = DocumentSignature("staff", "кызмат.p7s", Person())
    signed = replace(
        draft, card=replace(draft.card, files=(*draft.card.files, p7s), signatures=(signature,)), files=(good, b"0\x82")
    )
    package = FORMAT.render_letter(arrived(signed), "minjust", DIRECTORY)
    assert package.files["кызмат.json"] == good
    assert "staff" not in json.loads(package.files[LETTER_FILE])


def test_other_formats_carry_the_file() -> None:
    """A body without e-Kyzmat is handed the records as what they are: data."""
    draft = read({"records": [LEAVE]})
    package = MedoFormat().render_letter(arrived(draft), "minjust", DIRECTORY)
    assert json.loads(package.files[FILE_NAME]) == {"records": [LEAVE]}
    plain = JsonFormat().render_letter(arrived(draft), "minjust", DIRECTORY)
    assert json.loads(plain.files[LETTER_FILE])["files"][0]["media_type"] == MEDIA_TYPE


def test_extras_are_no_records() -> None:
    """A sender without e-Kyzmat cannot slip records past their rules."""
    draft = letter_of(JsonFormat().parse(staff_package("kat", "m-1", "minjust", {"x": 1}), DIRECTORY))
    tree = json.loads(FORMAT.render_letter(arrived(draft), "minjust", DIRECTORY).files[LETTER_FILE])
    assert "staff" not in tree
    assert tree["extras"] == [{"path": "/staff", "value": '{"x":1}'}]


def test_receipts_are_the_profiles() -> None:
    """The same documents as in JSON."""
    said = receipt_of_letter("r", "m-1", "registered", "2026-03-01T12:00:00Z", reg_number="7")
    assert receipt_of(FORMAT.parse(said, DIRECTORY)).card.reg_number == "7"
    told = receipt(Event.REGISTERED, DRAFT)
    assert FORMAT.render_receipt(told, "mfa", DIRECTORY) == JsonFormat().render_receipt(told, "mfa", DIRECTORY)
    extra = Package("r", {**said.files, "a.txt": b"1"})
    with pytest.raises(DocumentError, match=r"a\.txt"):
        FORMAT.parse(extra, DIRECTORY)
    assert E_KYZMAT.open(E_KYZMAT.options()).name == FORMAT.name


PAGES = Path(__file__).parents[3] / "docs" / "formats"
BLOCK = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (page, example)
    for page in ("json", "e-kyzmat")
    for example in BLOCK.findall((PAGES / f"{page}.md").read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_the_pages_examples_are_documents(page: str, example: str) -> None:
    """Each validates by its schema, and is understood."""
    schema = "receipt.json" if "message_type" in json.loads(example) else "staff-letter.json"
    jsonschema.Draft202012Validator(SCHEMAS[schema]()).validate(json.loads(example))
    fmt = FORMAT if page == "e-kyzmat" else JsonFormat()
    message = fmt.parse(Package("kat", {"x.json": example.encode()}), DIRECTORY)
    assert message.card.source_format == "json-1"


def test_what_the_profiles_page_shows_can_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its profile can be used as it is, its command too, on the letter of the format's page."""
    page = (PAGES.parent / "profiles" / "e-kyzmat.md").read_text(encoding="utf-8")
    (profile,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (command,) = re.findall(r"^```\n(exchange .*?)\n```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "e-kyzmat.toml").write_text(profile, encoding="utf-8")
    (tmp_path / "letter.json").write_text(next(text for name, text in EXAMPLES if name == "e-kyzmat"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, command.split()[1:])
    assert (done.exit_code, "letter.json: understood" in done.stdout) == (0, True)


LETTER = staff_package("kat", "m-1", "minjust", {"records": [APPOINTMENT, TRANSFER, LEAVE, ATTESTATION], **answer()})
RECORDS = json.dumps({"records": [LEAVE, {**ATTESTATION, "id": "r-2"}]}).encode()


@given(text=mutations(LETTER.files[LETTER_FILE]), data=mutations(RECORDS))
@settings(max_examples=100)
def test_any_bytes_are_records_or_an_error(text: bytes, data: bytes) -> None:
    """On the way out, and in a file that arrives from a body that checks nothing."""
    for way in (
        lambda: FORMAT.parse(Package("kat", {LETTER_FILE: text}), DIRECTORY),
        lambda: FORMAT.render_letter(arrived(with_file(data)), "minjust", DIRECTORY),
    ):
        try:
            assert way() is not None
        except DocumentError as error:
            assert error.place
