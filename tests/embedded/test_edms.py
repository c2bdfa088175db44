"""Stand-in document systems: the story's letters cross from one format's folders to the other's."""

from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType

import pytest

from adapters.connectors.folder import FolderConnector
from adapters.formats import FORMATS, format_named
from adapters.ports import WritingFormat
from exchange.agent.ports import ArrivedReceipt, DraftLetter, DraftReceipt, Package
from exchange.domain.card import Person
from exchange.domain.directory import Body, BodyStatus, Directory
from exchange.domain.event import Event
from exchange.domain.ids import ZERO_DIGEST, digest
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.edms import Answer, Notice, Reply, Sample, StandInEdms, compose_letter, drop, minimal_pdf
from exchange.embedded.edms_story import STORY
from tests.adapters.support import DAY, NOW, arrived, letter_of, receipt_of

DIRECTORY = Directory(
    exchange=ZERO_DIGEST, version=1, digest=ZERO_DIGEST, previous=ZERO_DIGEST, issued=NOW, lanes=4,
    journal_partitions=4,
    issuers=(),
    bodies=MappingProxyType({
        body.code: Body(body.code, body.names, body.kind, BodyStatus.CONNECTED, body.uids, body.soate)
        for body in demo_bodies()
    }),
)  # fmt: skip
CLERK = Person(name="Ж. Асанова", post="Башкы адис")
ANSWERS: tuple[Answer, ...] = (
    Notice(Event.DELIVERED),
    Notice(Event.REGISTERED, reg_number="ВХ-77/2022", reg_date=DAY),
    Notice(Event.EXECUTOR_ASSIGNED, actor=CLERK),
    Notice(Event.PROGRESS, note="Аткарылууда"),
    Reply(Sample("minjust", (), "05-3/41", DAY, "Жооп", CLERK)),
)
SAID = [Event.HANDED_OVER, Event.REGISTERED, Event.EXECUTOR_ASSIGNED, Event.PROGRESS]


def answer_all(_: DraftLetter) -> Iterable[Answer]:
    """Every kind of answer to every letter."""
    return ANSWERS


def collected(root: Path, fmt: WritingFormat) -> list[DraftLetter | DraftReceipt]:
    """What the agent takes from the EDMS's folder, in the order of its names."""
    packages = sorted(FolderConnector(root).collect(20), key=lambda package: package.name)
    return [fmt.parse(package, DIRECTORY) for package in packages]


def hand_over(root: Path, key: str, package: Package) -> None:
    """What the agent does with a package for the EDMS."""
    connector = FolderConnector(root)
    connector.stage(key, package)
    connector.publish(key)


def edms(root: Path, fmt: WritingFormat) -> StandInEdms:
    """The stand-in of the ministry of justice."""
    return StandInEdms(root, "minjust", fmt, DIRECTORY, answer_all, lambda: NOW)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("letter", STORY)
def test_the_storys_letters_are_letters(name: str, letter: str, tmp_path: Path) -> None:
    """Each composes in both formats, is taken at once, and says what the sample says."""
    sample, fmt = STORY[letter], format_named(name)
    drop(tmp_path / "edms", compose_letter(fmt, sample, DIRECTORY, f"m-{letter}", NOW))
    (message,) = collected(tmp_path / "edms", fmt)
    draft = letter_of(message)
    assert (draft.recipients, draft.card.sender.body) == (sample.recipients, sample.sender)
    assert (draft.card.title, draft.card.reg_number) == (sample.annotation, sample.number)
    assert len(draft.files) == 1 + len(sample.attachments or {})


@pytest.mark.parametrize("name", FORMATS)
def test_answers_go_out_in_the_edms_own_format(name: str, tmp_path: Path) -> None:
    """A letter handed over is answered as the script says; the reply names it."""
    fmt = format_named(name)
    sent = letter_of(fmt.parse(compose_letter(fmt, STORY["licensing"], DIRECTORY, "m-1", NOW), DIRECTORY))
    hand_over(tmp_path, "aa", fmt.render_letter(arrived(sent, "minekonom"), "minjust", DIRECTORY))
    stand_in = edms(tmp_path, fmt)
    assert (stand_in.step(), stand_in.step()) == (1, 0)
    *notices, reply = collected(tmp_path, fmt)
    assert [receipt_of(notice).event for notice in notices] == SAID
    assert {notice.card.message_id for notice in map(receipt_of, notices)} <= {"m-1", ""}
    answer = letter_of(reply)
    assert (answer.recipients, answer.in_reply_to) == (("minekonom",), sent.card.document_id)
    assert answer.in_reply_to_number == sent.card.reg_number


@pytest.mark.parametrize("sender", FORMATS)
@pytest.mark.parametrize("recipient", FORMATS)
def test_answers_come_back_in_the_senders_format(sender: str, recipient: str, tmp_path: Path) -> None:
    """Across formats the sender's EDMS reads number and date under the ids that it gave."""
    ours, theirs = format_named(sender), format_named(recipient)
    sent = letter_of(ours.parse(compose_letter(ours, STORY["licensing"], DIRECTORY, "m-1", NOW), DIRECTORY))
    hand_over(tmp_path / "theirs", "aa", theirs.render_letter(arrived(sent, "minekonom"), "minjust", DIRECTORY))
    edms(tmp_path / "theirs", theirs).step()
    said = receipt_of(collected(tmp_path / "theirs", theirs)[1])
    back = ArrivedReceipt(
        digest=digest(b"r"), letter=digest(b"letter"), message_id=sent.message_id, about=sent.card,
        actor="minjust", event=said.event, at=said.at, reason=said.reason, text="", card=said.card,
    )  # fmt: skip
    package = ours.render_receipt(back, "minekonom", DIRECTORY)
    assert package is not None
    hand_over(tmp_path / "ours", "bb", package)
    stand_in = StandInEdms(tmp_path / "ours", "minekonom", ours, DIRECTORY, answer_all, lambda: NOW)
    stand_in.step()
    (read,) = stand_in.receipts
    assert (read.event, read.card.reg_number, read.card.reg_date) == (Event.REGISTERED, "ВХ-77/2022", DAY)
    known = "" if sender == "medo-2.2" else sent.message_id  # its notices name the document only
    assert (read.card.message_id, read.card.document_id) == (known, sent.card.document_id)


def test_a_letter_handed_over_twice_is_answered_once(tmp_path: Path) -> None:
    """Also by the next process, and when the last one ended before it could note its answers."""
    fmt = format_named("medo-2.6")
    sent = letter_of(fmt.parse(compose_letter(fmt, STORY["licensing"], DIRECTORY, "m-1", NOW), DIRECTORY))
    package = fmt.render_letter(arrived(sent, "minekonom"), "minjust", DIRECTORY)
    hand_over(tmp_path, "aa", package)
    edms(tmp_path, fmt).step()
    first = [each.name for each in FolderConnector(tmp_path).collect(20)]
    hand_over(tmp_path, "aa", package)
    edms(tmp_path, fmt).step()
    (tmp_path / ".edms" / "answered").unlink()
    FolderConnector(tmp_path).archive(first[0])
    edms(tmp_path, fmt).step()
    assert [each.name for each in FolderConnector(tmp_path).collect(20)] == first[1:]


def test_a_letter_that_was_lost_is_taken_when_it_comes_again(tmp_path: Path) -> None:
    """The document system says that it failed, keeps nothing, and answers what is sent once more."""
    fmt = format_named("medo-2.7.1")
    package = compose_letter(fmt, STORY["licensing"], DIRECTORY, "m-lost", NOW)
    system = edms(tmp_path, fmt)
    system.answer_by(lambda _: (Notice(Event.HAND_OVER_FAILED, reason="База толду"),))
    hand_over(tmp_path, "key", package)
    assert system.step() == 1
    assert list((tmp_path / "in").iterdir()) == []
    system.answer_by(answer_all)
    hand_over(tmp_path, "key", package)
    assert system.step() == 1
    events = [receipt_of(said).event for said in collected(tmp_path, fmt) if isinstance(said, DraftReceipt)]
    assert events == [*SAID, Event.HAND_OVER_FAILED]


def test_an_unfinished_drop_is_made_anew(tmp_path: Path) -> None:
    """What a killed process left aside is no package."""
    (tmp_path / "out" / ".kat").mkdir(parents=True)
    (tmp_path / "out" / ".kat" / "rest.txt").write_bytes(b"1")
    drop(tmp_path, Package("kat", {"a.xml": b"<a/>"}))
    assert [dict(package.files) for package in FolderConnector(tmp_path).collect(1)] == [{"a.xml": b"<a/>"}]


def test_a_script_cannot_say_what_the_format_has_no_word_for(tmp_path: Path) -> None:
    """MEDO knows no redirection: the script is wrong, and learns it."""
    fmt = format_named("medo-2.6")
    sent = letter_of(fmt.parse(compose_letter(fmt, STORY["licensing"], DIRECTORY, "m-1", NOW), DIRECTORY))
    hand_over(tmp_path, "aa", fmt.render_letter(arrived(sent, "minekonom"), "minjust", DIRECTORY))
    script = StandInEdms(tmp_path, "minjust", fmt, DIRECTORY, lambda _: [Notice(Event.REDIRECTED)], lambda: NOW)
    with pytest.raises(ValueError, match="redirected"):
        script.step()


def test_the_pdf_is_one() -> None:
    """Header, cross-references that lead to their objects, trailer."""
    pdf = minimal_pdf("Letter (1) \\ Кат")
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert pdf.startswith(b"%PDF-1.4\n")
    assert pdf[start:].startswith(b"xref\n0 6\n")
    for number in range(1, 6):
        offset = int(pdf[start:].split(b"\n")[2 + number][:10])
        assert pdf[offset:].startswith(b"%d 0 obj" % number)
