"""The JSON profile: every field there and back, what it does not know carried, and what it refuses."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.formats import FORMATS
from adapters.formats.json_profile import JsonFormat, documents
from adapters.formats.json_profile.documents import LETTER_FILE, RECEIPT_FILE
from adapters.formats.json_profile.format import JSON, JsonOptions
from adapters.formats.json_profile.source import Source
from adapters.formats.letters import answered
from adapters.schemas import SCHEMAS
from exchange.agent.ports import DraftLetter, DraftReceipt, Package
from exchange.domain.card import Extra, Link, Party, Person, ReceiptCard, Translation
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import EXCHANGE
from exchange.domain.statement import Access, AckPolicy, Group, LetterKind, Urgency
from tests.adapters.formats.strategies import DATES, IDENTS, LINES, TEXTS, drafts, persons
from tests.adapters.support import (
    ANNEX_TXT,
    DAY,
    DIRECTORY,
    DRAFT,
    LETTER_PDF,
    NAMES,
    NOW,
    arrived,
    draft_of,
    letter_of,
    receipt,
    receipt_of,
)
from tests.strategies import mutations

SOME = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
BESIDE, INLINE = JsonFormat(), JsonFormat(inline=True)
MINIMAL = {"message_id": "m-1", "recipients": ["minjust"]}


def package(*files: tuple[str, bytes], name: str = LETTER_FILE, **said: Any) -> Package:
    """A letter of one addressee in a package; `said` are its other members."""
    return Package("kat", {name: json.dumps({**MINIMAL, **said}).encode(), **dict(files)})


def read(*files: tuple[str, bytes], **said: Any) -> DraftLetter:
    """The letter in such a package."""
    return letter_of(BESIDE.parse(package(*files, **said), DIRECTORY))


def refused(message: Package) -> DocumentError:
    """The error that a package is refused with."""
    with pytest.raises(DocumentError) as caught:
        BESIDE.parse(message, DIRECTORY)
    return caught.value


def document(message: Package | None, name: str = LETTER_FILE) -> Any:
    """The document of a package, which validates."""
    assert message is not None
    tree = json.loads(message.files[name])
    jsonschema.Draft202012Validator(SCHEMAS[name]()).validate(tree)
    return tree


@st.composite
def letters(draw: st.DrawFn) -> DraftLetter:
    """A letter in everything that the profile has, which is everything."""
    draft = draw(drafts("json-1"))
    card = draft.card
    tasks = tuple(replace(task, author=draw(st.none() | persons(signed=True))) for task in card.tasks)
    extras = (Extra("comment", draw(TEXTS)),) if draw(st.booleans()) else ()
    sender = replace(card.sender, soate=draw(LINES), x_road_id=draw(LINES))
    translations = draw(st.lists(st.builds(Translation, LINES, TEXTS, TEXTS), max_size=2))
    files = tuple(replace(file, media_type=draw(IDENTS)) for file in card.files)
    card = replace(
        card, sender=sender, tasks=tasks, files=files, extras=extras, translations=tuple(translations),
        personal_data=draw(st.booleans()), language=draw(LINES), title=draw(IDENTS),
        source_format=draw(st.sampled_from(["json-1", "medo-2.6"])),
    )  # fmt: skip
    grouped = draw(st.booleans())
    return replace(
        draft,
        card=card,
        consignment_id=draw(IDENTS),
        conversation=draw(IDENTS),
        in_reply_to=draw(IDENTS) if answered(card.links) else "",
        in_reply_to_number=draw(IDENTS) if answered(card.links) else "",
        reply_due=draw(st.none() | DATES),
        ack=draw(st.sampled_from(AckPolicy)),
        kind=draw(st.sampled_from(LetterKind)),
        wanted=tuple(event.value for event in draw(st.lists(st.sampled_from(Event), max_size=2))),
        group=Group(draw(IDENTS), draw(st.integers(1, 9))) if grouped else None,
        recipients=() if grouped else draft.recipients,
    )


@pytest.mark.parametrize("fmt", [BESIDE, INLINE], ids=["beside", "inline"])
@given(draft=letters())
@SOME
def test_every_field_comes_back(fmt: JsonFormat, draft: DraftLetter) -> None:
    """Of any letter at all, whose document validates by the schema."""
    written = fmt.write(draft, NOW, DIRECTORY, "letter")
    document(written)
    assert letter_of(fmt.parse(written, DIRECTORY)) == draft


def test_the_least_that_is_a_letter() -> None:
    """Two members; everything else has its default."""
    draft = read()
    assert draft == replace(
        DRAFT, message_id="m-1", consignment_id="m-1", kind=LetterKind.DOCUMENT, conversation="m-1", in_reply_to="",
        in_reply_to_number="", recipients=("minjust",), urgency=Urgency.ROUTINE, access=Access.PUBLIC, files=(),
        card=replace(draft_of("json-1").card, document_id="m-1", local_id="", kind="", purpose="", reg_number="",
                     reg_date=None, title="", annotation="", language="", sender=Party(),
                     addressees=(Party(body="minjust"),), signatories=(), executor=None, links=(), tasks=(), files=(),
                     signatures=()),
    )  # fmt: skip
    jsonschema.validate(MINIMAL, SCHEMAS[LETTER_FILE]())


def test_what_follows_from_other_fields() -> None:
    """A link that answers makes a reply; addressees stand for recipients; a first line for the title."""
    draft = read(
        recipients=[],
        addressees=[{"name": "Баары"}, {"uid": "ORG-B"}, {"body": "MFA"}],
        links=[{"type": "Ответ", "document_id": "d-9", "number": "7"}],
        annotation="Кат\nжөнүндө",
    )
    assert draft.recipients == ("minjust", "mfa")
    assert [party.body for party in draft.card.addressees] == ["minjust", "mfa", ""]
    assert (draft.kind, draft.in_reply_to, draft.in_reply_to_number) == (LetterKind.REPLY, "d-9", "7")
    assert (draft.conversation, draft.card.title, draft.card.links[0].dated) == ("d-9", "Кат", None)
    reply = read(in_reply_to="d-8")
    assert (reply.kind, reply.card.links) == (LetterKind.REPLY, (Link("В ответ на", "d-8"),))


def test_a_letter_to_a_group() -> None:
    """By an expression, of the directory that the agent has."""
    draft = read(recipients=[], group={"expression": "kind:ministry"})
    assert (draft.recipients, draft.group) == ((), Group("kind:ministry", DIRECTORY.version))


def test_unknown_members_come_back_where_they_were() -> None:
    """Carried by JSON pointer, also of an addressee whose place in the card is another."""
    beyond = {
        "barcode": [1, {"two": "эки"}, None, 1.5],
        "sender": {"body": "mfa", "colour": "red"},
        "addressees": [{"name": "Баары", "n/m": 1}, {"body": "natstatkom", "n": 2}, {"body": "minjust", "n": 3}],
        "tasks": [{"id": "1", "text": "x", "executors": [{"who": {"name": "А", "pin": "7"}}]}],
        "files": [{"name": "a.txt", "shelf": {"row": 4}}],
        "deep/er": {"~": True},
    }
    draft = read(("a.txt", b"1"), **beyond)
    assert {extra.path for extra in draft.card.extras} == {
        "/barcode", "/sender/colour", "/addressees/0/n", "/addressees/1/n~1m", "/addressees/2/n",
        "/tasks/0/executors/0/who/pin", "/files/0/shelf", "/deep~1er",
    }  # fmt: skip
    back = document(BESIDE.render_letter(arrived(draft), "minjust", DIRECTORY))
    assert (back["barcode"], back["deep/er"]) == (beyond["barcode"], beyond["deep/er"])
    assert (back["sender"]["colour"], back["files"][0]["shelf"]) == ("red", {"row": 4})
    assert back["tasks"][0]["executors"][0]["who"]["pin"] == "7"
    named = {entry.get("body", entry.get("name")): entry for entry in back["addressees"]}
    assert (named["natstatkom"]["n"], named["minjust"]["n"], named["Баары"]["n/m"]) == (2, 3, 1)
    assert "extras" not in back


def test_extras_never_fill_a_field() -> None:
    """A sender's agent may make up any: the profile's own fields are the card's to say. None gets lost."""
    forged = (
        Extra("/access", '"public"'), Extra("/recipients/0", '"mfa"'), Extra("/executor/name", '"А"'),
        Extra("/files/9/x", "1"), Extra("/no-json", "{"), Extra("/nan", "NaN"), Extra("/x/y", "1"), Extra("/", "1"),
        Extra("document/comment", "эскертүү"),
    )  # fmt: skip
    draft = replace(draft_of("json-1", extras=forged, executor=None), access=Access.CONFIDENTIAL)
    back = document(BESIDE.render_letter(arrived(draft), "minjust", DIRECTORY))
    assert (back["access"], back["recipients"], back[""]) == ("confidential", ["minjust"], 1)
    assert "executor" not in back
    listed = {extra["path"] for extra in back["extras"]}
    assert listed == {extra.path for extra in forged} - {"/"}


@pytest.mark.parametrize("path", ["/Access", "/ACCE\u017f\u017f", "/message-id", "/sender/Uid", "/staff"])
def test_extras_stand_beside_no_field_that_they_resemble(path: str) -> None:
    """Readers without regard to case take the last of both: what a sender made up would count."""
    draft = draft_of("json-1", extras=(Extra(path, '"forged"'),))
    back = document(BESIDE.render_letter(arrived(draft), "minjust", DIRECTORY))
    assert [extra["path"] for extra in back["extras"]] == [path]
    assert "forged" not in {value for value in back.values() if isinstance(value, str)}
    assert "forged" not in back["sender"].values()


def test_another_formats_extras_pass_through() -> None:
    """MEDO's own fields are listed, so that a letter goes from MEDO to JSON and back without a loss."""
    remark = (Extra("document/comment", "эскертүү"),)
    draft = replace(draft_of("medo-2.6", extras=remark), recipients=("minjust",))
    there = BESIDE.write(draft, NOW, DIRECTORY, "letter")
    assert letter_of(BESIDE.parse(there, DIRECTORY)).card.extras == remark
    assert letter_of(BESIDE.parse(there, DIRECTORY)).card.source_format == "medo-2.6"


def test_files_inside_and_beside() -> None:
    """Each file is in one of the two places; base64 may be broken into lines."""
    wrapped = b64encode(ANNEX_TXT).decode()
    draft = read(
        ("a.pdf", LETTER_PDF),
        files=[
            {"name": "a.pdf", "size": len(LETTER_PDF)},
            {"name": "б.txt", "role": "annex", "media_type": "text/x", "content": f"{wrapped[:8]}\r\n {wrapped[8:]}"},
        ],
    )
    assert draft.files == (LETTER_PDF, ANNEX_TXT)
    assert [(file.id, file.media_type) for file in draft.card.files] == [
        ("file-1", "application/pdf"),
        ("file-2", "text/x"),
    ]
    inline = INLINE.render_letter(arrived(draft), "minjust", DIRECTORY)
    assert set(inline.files) == {LETTER_FILE}
    assert letter_of(BESIDE.parse(inline, DIRECTORY)).files == draft.files
    assert JSON.open(JsonOptions(inline=True)).write(draft, NOW, DIRECTORY, "x").files.keys() == {LETTER_FILE}


def test_files_are_told_apart() -> None:
    """Ids that repeat or are empty are numbered anew, names that collide too; signatures follow."""
    card = draft_of("json-1").card
    first, second, signature = card.files
    files = (replace(first, id="", name=LETTER_FILE), replace(second, id="file-1"), replace(signature, id="file-1"))
    lost = replace(card.signatures[0], file_id="9")
    signed = replace(card.signatures[0], file_id="file-1", signature_file=LETTER_FILE)
    draft = replace(DRAFT, card=replace(card, files=files, signatures=(lost, signed)))
    read_again = letter_of(BESIDE.parse(BESIDE.render_letter(arrived(draft), "minjust", DIRECTORY), DIRECTORY)).card
    assert [file.id for file in read_again.files] == ["file-2", "file-1", "file-3"]
    assert [file.name for file in read_again.files] == ["letter-1.json", second.name, signature.name]
    assert [entry.signature_file for entry in read_again.signatures] == ["letter-1.json"]


@pytest.mark.parametrize(
    ("said", "code", "place"),
    [
        ({"message_id": ""}, "document-invalid", "/message_id"),
        ({"message_id": 7}, "document-invalid", "/message_id"),
        ({"format": "json-2"}, "document-invalid", "/format"),
        ({"title": None}, "document-invalid", "/title"),
        ({"urgency": "s3cret"}, "document-invalid", "/urgency"),
        ({"wanted_events": ["registered", "s3cret"]}, "document-invalid", "/wanted_events/1"),
        ({"reg_date": "20.01.2022"}, "document-invalid", "/reg_date"),
        ({"files": [{"name": "a"}, {"name": "b", "pages": 0}]}, "document-invalid", "/files/1/pages"),
        ({"files": [{"name": "a", "sha256": "s3cret"}]}, "document-invalid", "/files/0/sha256"),
        ({"signatures": [{"file_id": "0", "signature_file": "x", "time": "2022-01-20T12:00:00"}]}, "document-invalid",
         "/signatures/0/time"),
        ({"recipients": ["minjust"] * 65}, "document-invalid", "/recipients"),
        ({"addressees": [{}] * 4001}, "document-invalid", "/addressees"),
        ({"recipients": ["minjust", "s3cret body"]}, "recipient-unknown", "/recipients/1"),
        ({"recipients": [], "addressees": [{"body": "s3cret body"}]}, "recipient-unknown", "/addressees/0"),
        ({"recipients": [], "addressees": [{"name": "x"}]}, "recipient-missing", "the whole"),
        ({"group": {"expression": "all"}}, "recipients-and-group", "/recipients"),
        ({"files": [{"name": "s3cret.pdf"}]}, "file-missing", "/files/0/name"),
        ({"files": [{"name": "../s3cret", "content": "AA=="}]}, "file-name-unsafe", "/files/0/name"),
        ({"files": [{"name": "a", "content": "s3cret!"}]}, "document-invalid", "/files/0/content"),
        ({"files": [{"name": "a", "content": "өөөө"}]}, "document-invalid", "/files/0/content"),
        ({"files": [{"name": "a", "content": " "}]}, "file-empty", "/files/0/content"),
        ({"files": [{"name": name, "content": "AA=="} for name in "aA"]}, "file-name-repeated", "/files/1"),
        ({"files": [{"name": "a", "content": "AA==", "size": 2}]}, "document-invalid", "/files/0"),
        ({"files": [{"name": "a", "content": "AA==", "sha256": "0" * 64}]}, "document-invalid", "/files/0"),
        ({"signatures": [{"file_id": "0", "signature_file": "x"}]}, "file-missing", "/signatures/0"),
    ],
)  # fmt: skip
def test_what_is_refused(said: dict[str, Any], code: str, place: str) -> None:
    """Each names line and pointer, and repeats nothing that was written but the names of files."""
    error = refused(package(**said))
    assert (error.code, error.place.removeprefix("letter.json, line 1, ")) == (code, place)
    assert "s3cret" not in str(error) or code == "file-missing"


def test_the_document_is_found() -> None:
    """By its name, or as the only JSON file; what it does not name must not be there."""
    assert letter_of(BESIDE.parse(package(name="any.json"), DIRECTORY)) == read()
    assert refused(Package("kat", {"a.xml": b"<a/>"})).code == "document-missing"
    assert refused(Package("kat", {"a.json": b"{}", "b.json": b"{}"})).code == "document-ambiguous"
    assert refused(package(("a.txt", b"1"))).code == "file-unnamed"
    assert refused(package(("a.txt", b"1"), name=RECEIPT_FILE)).code == "file-unnamed"


@given(
    event=st.sampled_from(Event),
    person=st.none() | persons(signed=True),
    number=LINES,
    text=TEXTS,
    note=TEXTS,
    day=DATES,
)
@SOME
def test_every_receipt_there_and_back(
    event: Event, person: Person | None, number: str, text: str, note: str, day: Any
) -> None:
    """What the recipient's system says is what the sender's reads, by a document that validates."""
    card = ReceiptCard(
        reg_number=number, reg_date=day, reason_text=text, actor=person, note=note, source_format="json-1",
        extras=(Extra("/shelf", '{"row":4}'),),
    )  # fmt: skip
    said = replace(receipt(event, DRAFT, "gap"), card=card)
    written = BESIDE.render_receipt(said, "mfa", DIRECTORY)
    tree = document(written, RECEIPT_FILE)
    assert (tree["event"], tree["actor"]["body"], tree["receipt_id"]) == (event.value, "minjust", said.digest.hex())
    assert written is not None
    expected = replace(card, document_id=DRAFT.card.document_id, message_id=DRAFT.message_id)
    taken = Event.HANDED_OVER if event is Event.DELIVERED else event
    assert BESIDE.parse(written, DIRECTORY) == DraftReceipt(taken, NOW, "gap", expected, "mfa")


def test_receipts_by_hand() -> None:
    """The least that is one; a negative event has a reason; times are UTC; the exchange has a name."""
    said = {"message_type": "receipt", "event": "refused", "event_time": "2022-01-20T12:00:00.25+06:00"}
    jsonschema.validate(said, SCHEMAS[RECEIPT_FILE]())
    draft = receipt_of(BESIDE.parse(Package("kat", {"x.json": json.dumps(said).encode()}), DIRECTORY))
    assert (draft.event, draft.at, draft.reason) == (Event.REFUSED, NOW, "refused-by-recipient")
    late = Package("kat", {RECEIPT_FILE: json.dumps({**said, "event_time": "9999-12-31T23:00:00-05:00"}).encode()})
    assert refused(late).place == "receipt.json, line 1, /event_time"
    own = replace(receipt(Event.EXPIRED, DRAFT, "expired", "мөөнөтү өттү"), actor=EXCHANGE)
    tree = document(BESIDE.render_receipt(own, "mfa", DIRECTORY), RECEIPT_FILE)
    assert tree["actor"] == {"body": EXCHANGE, "name": "Система обмена"}
    assert (tree["reason_code"], tree["reason_text"]) == ("expired", "мөөнөтү өттү")


def test_recipients_see_who_signed() -> None:
    """The sender is the one that the exchange vouches for; the recipient too, who may be of a group."""
    draft = draft_of("gost53898", sender=Party(body="natstatkom", name="Нацстатком"), addressees=())
    tree = document(BESIDE.render_letter(arrived(draft), "minjust", DIRECTORY))
    assert (tree["sender"]["body"], tree["sender"]["name"]) == ("mfa", NAMES["mfa"])
    assert [entry["body"] for entry in tree["addressees"]] == ["minjust"]
    assert (tree["source_format"], tree["letter_id"]) == ("gost53898", arrived(draft).digest.hex())


def test_a_card_that_types_forbid_is_refused_by_name() -> None:
    """Another body's agent may be broken."""
    wrong = draft_of("json-1", files=(replace(DRAFT.card.files[0], pages=-1),), signatures=())
    with pytest.raises(DocumentError, match=r"card, files\[0\]\.pages"):
        BESIDE.render_letter(arrived(replace(wrong, files=(b"x",))), "minjust", DIRECTORY)


@given(mutations(BESIDE.write(DRAFT, NOW, DIRECTORY, "x").files[LETTER_FILE]) | st.binary(max_size=60))
@settings(max_examples=150)
def test_any_bytes_are_a_message_or_an_error(text: bytes) -> None:
    """Nothing but `DocumentError`, in both formats that read the profile."""
    for name in ("json-1", "e-kyzmat-1"):
        try:
            FORMATS[name].parse(Package("kat", {LETTER_FILE: text}), DIRECTORY)
        except DocumentError as error:
            assert error.place


def test_links_keep_their_date() -> None:
    """Which the card calls by another name, for Python has that one."""
    draft = read(links=[{"type": "Связан с", "number": "8", "date": "2022-01-20"}])
    assert draft.card.links == (Link("Связан с", "", "8", DAY),)


VALUES: list[Any] = [None, True, 7, -1, 1.5, "", "x", "public", "2026-03-01", [], ["minjust"], [{}], {}, {"name": "x"}]
LEAST: dict[str, tuple[type[documents.Letter | documents.Receipt], dict[str, Any]]] = {
    LETTER_FILE: (documents.Letter, MINIMAL),
    RECEIPT_FILE: (
        documents.Receipt,
        {"message_type": "receipt", "event": "progress", "event_time": "2026-03-01T00:00:00Z"},
    ),
}


@pytest.mark.parametrize("name", LEAST)
def test_reader_and_schema_agree(name: str) -> None:
    """Each member with values of many kinds: what one takes the other does, so editors do not mislead."""
    kind, least = LEAST[name]
    schema = SCHEMAS[name]()
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(["date"]))
    for member in schema["$defs"][kind.__name__]["properties"]:
        for value in VALUES:
            said = {**least, member: value}
            source = Source(json.dumps(said).encode(), name)
            try:
                source.convert(source.tree, kind)
                taken = True
            except DocumentError:
                taken = False
            if not isinstance(value, str) or not member.endswith(("_at", "_time")):  # its format no checker knows
                assert (member, value, taken) == (member, value, validator.is_valid(said))
