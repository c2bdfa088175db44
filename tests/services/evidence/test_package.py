"""The package of a letter: what is in it, and what each file says."""

import io
import json
import zipfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.security.form import parse
from exchange.services.evidence import package
from exchange.services.evidence.gathering import EvidenceBroken, LetterNotArchived, gather
from exchange.services.evidence.package import Case, Level, make_case, write_package
from exchange.tlog.errors import LogRefused
from exchange.tlog.proof import Proof
from tests.journal.synthetic import SyntheticJournal
from tests.services.evidence.conftest import FILES, Course
from tests.services.evidence.memory import MemoryArchive
from tests.world import World


def made(course: Course, *withhold: str) -> Case:
    """The letter's case."""
    return make_case(course.gathered(), course.world.published, course.archive.policy_text, withhold, stamped=False)


def test_all_that_was_said_about_the_letter_is_there_in_the_journal_s_order(course: Course) -> None:
    """In the words of ETSI EN 319 522 where it has any."""
    events = made(course).index["events"]
    assert [(each["kind"], each["event"], each["body"]) for each in events] == [
        ("letter", "accepted", "alpha"),
        ("receipt", "delivered", "beta"),
        ("receipt", "handed-over", "beta"),
        ("receipt", "registered", "beta"),
        ("deadline", "expired", "exchange-tracker"),
        ("receipt", "refused", "gamma"),
    ]
    assert events[-1]["etsi"] == "http://uri.etsi.org/19522/Event/ConsignmentRejection"


def test_the_order_is_the_log_s(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the archive's index says, which may go by a broker's clock that was put back."""
    archive, order = MemoryArchive(course.archive.journal), made(course).index["events"]
    monkeypatch.setattr(archive, "places", lambda letter: archive.about[letter][::-1])
    gathered = gather(archive, course.letter.digest, course.world.published, archive.policy)
    case = make_case(gathered, course.world.published, archive.policy_text, (), stamped=False)
    assert case.index["events"] == order


def test_a_refused_letter_has_evidence_too(course: Course) -> None:
    """Nobody can withhold a refusal."""
    gathered = gather(course.archive, course.refused.digest, course.world.published, course.archive.policy)
    case = make_case(gathered, course.world.published, course.archive.policy_text, (), stamped=False)
    (event,) = case.index["events"]
    assert (event["event"], event["verdict"], event["reason"]) == ("rejected", "REFUSED", "recipient-unknown")
    assert event["etsi"].endswith("/SubmissionRejection")


def test_each_entry_has_a_proof_up_to_the_checkpoint(course: Course) -> None:
    """Under the policy that lies beside."""
    case = made(course)
    for event in case.index["events"]:
        seen = Proof.parse(case.files[event["proof"]]).verify(case.files[event["entry"]], course.archive.policy)
        assert seen.witnessed


def test_contents_are_what_the_statements_committed_to(course: Course) -> None:
    """Salt and bytes together give the commitment."""
    case = made(course)
    contents = case.index["contents"]
    assert [each["file"] for each in contents] == [
        "contents/0000-card.avro",
        "contents/0001-1.pdf",
        "contents/0002-2.pdf",
        "contents/0003-card.avro",
        "contents/0004-card.avro",
    ]
    for each in contents:
        assert digest(bytes.fromhex(each["salt"]) + case.files[each["file"]]).hex() == each["commitment"]
    assert case.files["contents/0001-1.pdf"] == FILES[0]


CARD, FIRST, SECOND = "contents/0000-card.avro", "contents/0001-1.pdf", "contents/0002-2.pdf"
RECEIPTS = ["contents/0003-card.avro", "contents/0004-card.avro"]


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("all", []),
        ("card", ["contents/0001-file", "contents/0002-file"]),
        ("2", ["contents/0000-card.avro", "contents/0001-1.pdf", "contents/0003-card.avro", "contents/0004-card.avro"]),
        (
            "1.pdf",
            ["contents/0000-card.avro", "contents/0002-2.pdf", "contents/0003-card.avro", "contents/0004-card.avro"],
        ),
    ],
)
def test_what_is_withheld_leaves_neither_bytes_nor_salt_nor_name(course: Course, word: str, kept: list[str]) -> None:
    """The commitment stays; a withheld card takes the names with it that it gives to files."""
    case = made(course, word)
    assert [each["file"] for each in case.index["contents"] if each["file"]] == kept
    assert [name for name in case.files if name.startswith("contents/")] == kept
    for each in case.index["contents"]:
        assert (each["salt"] is None) == (each["file"] is None) == (each["missing"] == "withheld")


def test_what_is_no_longer_kept_stays_proven(course: Course) -> None:
    """Lawful deletion takes salt and bytes away, nothing else."""
    gathered = course.gathered()
    first = next(iter(gathered.contents))
    without = {key: content for key, content in gathered.contents.items() if key != first}
    left = type(gathered)(gathered.letter, gathered.said, without, gathered.stamps)
    case = make_case(left, course.world.published, course.archive.policy_text, (), stamped=False)
    assert [each["missing"] for each in case.index["contents"]] == ["not-kept", None, None, None, None]
    assert "contents/0001-file" in case.files


def test_withholding_what_is_not_there_is_refused(course: Course) -> None:
    """A slip would give away what was to be withheld."""
    with pytest.raises(ConfigurationError) as refused:
        made(course, "anex.pdf")
    assert refused.value.code == "evidence-item-unknown"


def test_the_directory_s_files_prove_whose_certificates_they_were(course: Course) -> None:
    """Roots, snapshot, lists and entries are those of the version; bodies that say nothing stay out."""
    case = made(course)
    (version,) = case.index["directory"]
    assert version["digest"] == course.world.directory.digest.hex()
    names = [name.removeprefix("directory/") for name in version["files"]]
    assert {name.split(".")[-2] for name in names if name.startswith("bodies/")} == set(course.world.bodies)
    whole = course.world.published.files(1)
    assert set(names) <= set(whole)
    assert all(digest(case.files[f"directory/{name}"]) == whole[name] for name in names)
    refused = gather(course.archive, course.refused.digest, course.world.published, course.archive.policy)
    alone = make_case(refused, course.world.published, course.archive.policy_text, (), stamped=False)
    (bodies,) = ([name for name in each["files"] if "/bodies/" in name] for each in alone.index["directory"])
    assert [name.split(".")[-2] for name in bodies] == ["alpha"]


def test_the_package_is_one_zip_with_a_manifest(course: Course) -> None:
    """Reports come last; `case.json` is in it as it was made."""
    case = made(course)
    data = write_package(case, lambda _: {"report.en.html": b"<html>"}, None)
    assert data == write_package(case, lambda _: {"report.en.html": b"<html>"}, None)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist()[:3] == ["mimetype", "META-INF/ASiCManifest.xml", "case.json"]
        assert archive.namelist()[-1] == "report.en.html"
        assert json.loads(archive.read("case.json")) == case.index
        statement = zipfile.ZipFile(io.BytesIO(archive.read("statements/0001-letter.asics"))).read("statement")
        assert statement == course.letter.statement
    assert case.level is Level.B


@pytest.mark.parametrize(("limit", "least"), [("FILES_MAX", 20), ("BYTES_MAX", 10_000)])
def test_more_than_a_zip_of_one_text_holds_is_refused(
    course: Course, monkeypatch: pytest.MonkeyPatch, limit: str, least: int
) -> None:
    """With the limit and what to do; both are far off here."""
    monkeypatch.setattr(package, limit, least)
    with pytest.raises(package.EvidenceTooLarge, match=str(least)) as refused:
        made(course)
    assert refused.value.code == "evidence-too-large"


def test_signatures_are_time_stamped_the_letter_s_first(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are affordable; the manifest comes last, and names the statements with their time-stamps."""
    monkeypatch.setattr(package, "STAMPED_MAX", 2)
    asked: list[list[bytes]] = []

    def stamp(data: Sequence[bytes]) -> list[bytes]:
        asked.append(list(data))
        return [b"\x04\x20" + sha256(each).digest() for each in data]

    case = make_case(course.gathered(), course.world.published, course.archive.policy_text, (), stamped=True)
    data = write_package(case, lambda _: {}, stamp)
    signatures = [parse(said.decided.signature).value for said in case.gathered.said]
    assert asked[0] == signatures[:2]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert asked[1:] == [[archive.read("META-INF/ASiCManifest.xml")]]
        for number, (said, value) in enumerate(zip(case.gathered.said, signatures, strict=True)):
            with zipfile.ZipFile(io.BytesIO(archive.read(f"statements/{case.stem(said)}.asics"))) as inner:
                signature = inner.read("META-INF/signature.p7s")
            assert (sha256(value).digest() in signature) == (number < 2)
    assert case.level is Level.T


def test_the_letter_comes_first_even_behind_a_receipt_for_it(tmp_path: Path) -> None:
    """A sender knows its letter's digest before it sends it, and may tell somebody."""
    journal = SyntheticJournal(World(tmp_path))
    letter = journal.speaker("alpha").letter("beta")
    journal.receipt("beta", letter, "alpha", Event.DELIVERED)
    journal.say("alpha", letter)
    archive = MemoryArchive(journal)
    gathered = gather(archive, letter.digest, journal.world.published, archive.policy)
    assert [type(each.statement).__name__ for each in gathered.said] == ["Letter", "Receipt"]


def test_a_letter_that_the_archive_does_not_have_is_told(course: Course) -> None:
    """Another's id, or too early."""
    with pytest.raises(LetterNotArchived):
        gather(course.archive, bytes(32), course.world.published, course.archive.policy)


def test_an_archive_that_gives_other_bytes_is_not_exported(course: Course) -> None:
    """Its proof does not lead to the checkpoint."""
    archive = MemoryArchive(course.archive.journal)
    place = archive.places(course.letter.digest)[0]
    archive.entries[place.partition][place.index] = archive.entry(archive.places(course.refused.digest)[0])
    with pytest.raises(LogRefused) as refused:
        gather(archive, course.letter.digest, course.world.published, archive.policy)
    assert refused.value.code == "proof-invalid"


def test_without_the_policy_that_a_decision_names_there_is_no_package(course: Course) -> None:
    """Nobody could judge the decision."""
    archive = MemoryArchive(course.archive.journal)
    del archive.kept[course.world.policy.digest]
    with pytest.raises(EvidenceBroken):
        gather(archive, course.letter.digest, course.world.published, archive.policy)
