"""Attacks on packages: who alters one is found, with step and file. An outsider can make manifests, no signatures."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.decision import Decided
from exchange.services.evidence.container import ASIC_E, asic_s, zipped
from tests.verify.making import Course, WitnessedArchive, flipped, inner, zip_files
from tests.world import NOW

Files = dict[str, bytes]
LETTER, RECEIPT = "statements/0001-letter.asics", "statements/0002-receipt.asics"


@pytest.fixture(scope="module")
def files(course: Course) -> Files:
    """A true package's."""
    return course.files()


# --- the zip: one text only


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda data: data + b"behind", "does not end"),
        (lambda data: b"before" + data, "is no zip"),
        (lambda data: data[:-46] + data[-22:], "directory"),
        (lambda data: data[:-22], "does not end"),
        (lambda data: data[:10], "is not what it should be"),
        (lambda data: flipped(data, data.rindex(b"PK\1\2")), "directory, which must follow its files, differs"),
        (lambda data: data[: data.rindex(b"PK\1\2")], "directory, which must follow its files, differs"),
        (lambda data: data.replace(b"asic-e", b"asic-x"), "mimetype"),
    ],
)
def test_nothing_stands_before_or_behind(
    course: Course, files: Files, alter: Callable[[bytes], bytes], said: str
) -> None:
    """One archive, with its one directory at its end."""
    found = course.look(alter(course.zipped(files)))
    assert found.step == 1
    assert said in found.refused


def test_two_files_of_one_name(course: Course, files: Files) -> None:
    """Readers differ in which of them they take; case does not tell names apart on every machine."""
    for name in ("case.jsoM", "CASE.json"):
        data = course.zipped({**files, name: b"{}"}).replace(b"case.jsoM", b"case.json")
        assert "there is another file of that name" in course.look(data).refused


@pytest.mark.parametrize(
    "name", ["../out", "/out", "a//b", "a\\b", "C:out", "null-\x00-in-a-name", "dir/", "..", "e\u0301", "a\u202eb"]
)
def test_names_that_lead_elsewhere(course: Course, files: Files, name: str) -> None:
    """Whoever unpacks it finds all files in one folder."""
    found = course.look(named(course, files, name))
    assert found.step == 1
    assert "no name that is taken" in found.refused or "codec can't decode" in found.refused


def named(course: Course, files: Files, name: str) -> bytes:
    """The package with another file of that name, which `zipfile` would cut behind a zero."""
    return course.zipped({**files, name.replace("\0", "~"): b""}).replace(b"null-~-in", b"null-\0-in")


def test_nothing_is_compressed(course: Course) -> None:
    """So no bomb can unpack to anything; nor is a file longer than what is there of it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), ASIC_E)
        archive.writestr("bomb", bytes(2_000_000))
    assert "bomb: is compressed" in course.look(stream.getvalue()).refused
    short = zipped({"mimetype": ASIC_E, "log.policy": b"x" * 0x1234})
    lying = short.replace(struct.pack("<LL", 0x1234, 0x1234), struct.pack("<LL", 0x7F001234, 0x7F001234))
    assert "log.policy: ends early" in course.look(lying).refused


@pytest.mark.parametrize("flags", [1, 8])
def test_encrypted_files_and_sizes_behind_data(course: Course, files: Files, flags: int) -> None:
    """Neither can be read in one way only."""
    data = course.zipped(files)
    said = course.look(flipped(data, data.rindex(b"PK\3\4") + 6, flags)).refused
    assert "is compressed, encrypted, without its size" in said
    said = course.look(flipped(data, data.rindex(b"PK\1\2") + 8, flags)).refused
    assert "directory, which must follow its files, differs" in said


# --- the manifest


def test_a_file_that_no_manifest_names(course: Course, files: Files) -> None:
    """Added to the zip, or named and not there."""
    more = dict(zip_files(course.zipped(files)))
    assert "extra.txt: no manifest names it" in course.look(zipped({**more, "extra.txt": b"read me"})).refused
    del more["log.policy"]
    assert "log.policy: is not in the package" in course.look(zipped(more)).refused


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda xml: xml.replace(b"xmlenc#sha256", b"xmldsig#sha1"), "weak digest"),
        (lambda xml: xml.replace(b"<asic:ASiCM", b"<!DOCTYPE x><asic:ASiCM", 1), "declares something"),
        (lambda xml: xml.replace(b"case.json", b"log.policy"), "named twice"),
        (lambda xml: xml.replace(b"asic:ASiCManifest", b"asic:Manifest"), "no ASiCManifest"),
        (lambda xml: xml + b"<more/>", "is not what it should be"),
    ],
)
def test_odd_manifests(course: Course, files: Files, alter: Callable[[bytes], bytes], said: str) -> None:
    """SHA-256 of each file once, and nothing that a parser could expand."""
    whole = zip_files(course.zipped(files))
    whole["META-INF/ASiCManifest.xml"] = alter(whole["META-INF/ASiCManifest.xml"])
    found = course.look(zipped(whole))
    assert found.step == 1
    assert said in found.refused


def test_two_manifests(course: Course, files: Files) -> None:
    """One is read, so there is one."""
    whole = zip_files(course.zipped(files))
    second = {**whole, "META-INF/ASiCManifest1.xml": whole["META-INF/ASiCManifest.xml"]}
    assert "ASiCManifest1.xml: no manifest names it" in course.look(zipped(second)).refused


# --- the index


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"{", b'{\n "letter": "00",', 1),
        lambda data: data.replace(b'"level"', b' "level"'),
        lambda data: data + b"\n",
        lambda data: data.replace(b"exchange-case/1", b"exchange-case/2"),
        lambda data: data.replace(b"\n}\n", b',\n "withdrawn by the court": null\n}\n'),
        lambda _: b"[]\n",
        lambda _: b"[" * 100_000,
    ],
)
def test_the_index_has_one_encoding(course: Course, files: Files, alter: Callable[[bytes], bytes]) -> None:
    """No mark before it, no name twice, no other blanks."""
    found = course.look({**files, "case.json": alter(files["case.json"])})
    assert found.step == 2
    assert "case.json: " in found.refused


def changes() -> dict[str, tuple[Callable[[Any], None], int]]:
    """What an index may be made to say, and the step that finds it."""

    def put(path: str, value: object) -> Callable[[Any], None]:
        def change(index: Any) -> None:
            *way, last = (int(each) if each.isdigit() else each for each in path.split("."))
            for each in way:
                index = index[each]
            index[last] = value

        return change

    def spaced(index: Any) -> None:
        index["contents"][0]["salt"] = " ".join(index["contents"][0]["salt"])

    events = {
        "kind": "receipt",
        "event": "registered",
        "etsi": None,
        "body": "gamma",
        "digest": "00" * 32,
        "decided": "2026-03-01T09:00:00.000000Z",
        "verdict": "REFUSED",
        "reason": "oversized",
        "recipients": ["beta"],
        "directory": True,
        "more": 1,
    }
    return {
        **{f"event's {name}": (put(f"events.0.{name}", value), 10) for name, value in events.items()},
        "entry": (put("events.0.entry", "entries/0002.entry"), 10),
        "proof": (put("events.0.proof", "entries/0002.proof"), 10),
        "statement": (put("events.0.statement", RECEIPT), 10),
        "policy of an event": (put("events.0.policy", "log.policy"), 10),
        "lists": (put("events.0.crls", []), 5),
        "exchange": (put("exchange", "00" * 32), 2),
        "letter": (put("letter", "00" * 32), 3),
        "no events": (put("events", []), 3),
        "policy": (put("policy", "log.policy"), 10),
        "directory": (put("directory.0.digest", "00" * 32), 10),
        "directory's file": (put("directory.0.files.0", "report.en.html"), 10),
        "level": (put("level", "LTA"), 10),
        "form": (put("contents.0.form", "SEALED"), 10),
        "size": (put("contents.1.size", 1), 10),
        "item": (put("contents.0.item", 0.0), 10),
        "another's salt": (put("contents.0.salt", "00" * 32), 8),
        "salt in another form": (spaced, 8),
        "another's file": (put("contents.1.file", "contents/0002-2.pdf"), 8),
        "missing": (put("contents.0.missing", "withheld"), 8),
        "left out and salted": (put("contents.0.file", None), 8),
        "left out without a word": (put("contents.0", None), 8),
        "fewer contents": (put("contents", []), 8),
    }


@pytest.mark.parametrize("name", list(changes()))
def test_the_index_says_nothing_but_what_is_signed(course: Course, files: Files, name: str) -> None:
    """Whatever it is made to say is found by the step that knows better."""
    change, step = changes()[name]
    found = course.look(course.indexed(files, change))
    assert found.step == step, found


# --- parts of others


def test_an_altered_statement_entry_or_signature(course: Course, files: Files) -> None:
    """Each is under somebody's signature or digest."""
    said, signed = inner(files, LETTER, "statement"), inner(files, LETTER, "META-INF/signature.p7s")
    assert course.look({**files, LETTER: asic_s(flipped(said, -1), signed)}).step == 3
    found = course.look({**files, LETTER: asic_s(said, flipped(signed, -1))})
    assert found.step == 4
    assert "signature.p7s" in found.refused
    assert course.look({**files, "entries/0001.entry": flipped(files["entries/0001.entry"], 20)}).step > 2


def test_a_receipt_about_another_letter(course: Course, files: Files) -> None:
    """It is true, but says nothing about this one."""
    other = course.files(course.other)
    mixed = {
        name.replace("0002", "0007"): data for name, data in other.items() if "/0002" in name and "contents" not in name
    }

    def add(index: Any) -> None:
        event = json.loads(other["case.json"])["events"][1]
        index["events"].append(json.loads(json.dumps(event).replace("/0002", "/0007")))

    found = course.look(course.indexed({**files, **mixed}, add))
    assert found.step == 3
    assert "is about another letter" in found.refused


def test_a_statement_told_twice(course: Course, files: Files) -> None:
    """One receipt is not two."""
    copied = {name.replace("0002", "0007"): data for name, data in files.items() if "/0002" in name}

    def add(index: Any) -> None:
        index["events"].append(json.loads(json.dumps(index["events"][1]).replace("/0002", "/0007")))

    found = course.look(course.indexed({**files, **copied}, add))
    assert found.step == 3
    assert "one statement twice" in found.refused


def reordered(course: Course, files: Files, *numbers: int) -> Files:
    """The package with the events of these numbers, in this order, and about the first of them."""
    told, events = json.loads(files["case.json"])["events"], []
    own = {name: data for name, data in files.items() if name.startswith(("entries/", "statements/"))}
    moved = {name: data for name, data in files.items() if name not in own}
    for place, number in enumerate(numbers, 1):
        old, new = f"/{number:04}", f"/{place:04}"
        moved |= {name.replace(old, new): data for name, data in own.items() if old in name}
        events.append(json.loads(json.dumps(told[number - 1]).replace(old, new)))
    return course.indexed(moved, lambda index: index.update(events=events, letter=events[0]["digest"]))


def test_a_receipt_in_the_letter_s_place(course: Course, files: Files) -> None:
    """Its package would be called a letter's."""
    found = course.look(reordered(course, files, 2))
    assert (found.step, "is about another letter" in found.refused) == (3, True)


def test_what_followed_in_another_order(course: Course, files: Files) -> None:
    """Of two receipts that contradict one another the first in the journal holds (rule 4.2)."""
    assert course.look(reordered(course, files, *range(1, 7))).refused == ""
    found = course.look(reordered(course, files, 1, 2, 4, 3, 5, 6))
    assert (found.step, "what followed the letter is not in the log's order" in found.refused) == (6, True)


def test_parts_of_two_packages(course: Course, files: Files) -> None:
    """A proof, an entry, a statement or a content of another letter."""
    other = course.files(course.other)
    expected = {LETTER: 3, "entries/0001.entry": 3, "entries/0001.proof": 6, "contents/0001-1.pdf": 8, "case.json": 3}
    for name, step in expected.items():
        found = course.look({**files, name: other[name]})
        assert found.step == step, (name, found)


def test_a_proof_of_another_entry(course: Course, files: Files) -> None:
    """It leads from another leaf."""
    found = course.look({**files, "entries/0001.proof": files["entries/0002.proof"]})
    assert found.step == 6
    assert "entries/0001.proof" in found.refused


def test_a_certificate_swapped(course: Course, files: Files) -> None:
    """The signature names its certificate by digest, and the directory knows whose it is."""
    said = inner(files, LETTER, "statement")
    found = course.look({**files, LETTER: asic_s(said, inner(files, RECEIPT, "META-INF/signature.p7s"))})
    assert found.step == 4
    assert "another statement" in found.refused


def test_issuers_beside(course: Course, files: Files) -> None:
    """Stock tools are told to go by this file, so it holds the directory's issuers and no others."""
    more = files["directory/issuers.crt.pem"] + course.authorities[0].public_bytes(Encoding.PEM)
    found = course.look({**files, "directory/issuers.crt.pem": more})
    assert found.step == 5
    assert "directory/issuers.crt.pem" in found.refused


def test_files_that_nothing_explains(course: Course, files: Files) -> None:
    """A manifest may name them; nobody signed them."""
    for name in ("read-me.html", "report.exe", "contents/0099-more.pdf", "statements/0007-receipt.asics"):
        found = course.look({**files, name: b"believe me"})
        assert found.step == 10
        assert f"{name}: nothing says what this file is" in found.refused


@pytest.mark.parametrize("name", ["directory/order.pdf", "directory/1.root.json"])
def test_files_among_the_directory_s_that_prove_nothing(course: Course, files: Files, name: str) -> None:
    """The index may name them; they are none that a signature leads to, or another first root than the reader's."""

    def add(index: Any) -> None:
        index["directory"][0]["files"] = sorted({*index["directory"][0]["files"], name})

    found = course.look(course.indexed({**files, name: b"believe me"}, add))
    assert found.step == 10
    assert f"{name}: proves nothing here" in found.refused


def test_a_withheld_item_s_salt_is_not_there(course: Course) -> None:
    """With it the card could be guessed; a guessed one does not fit."""
    files = course.files(None, "card")

    def put(index: Any) -> None:
        index["contents"][0] |= {"file": "contents/0000-card.avro", "salt": "07" * 32, "missing": None}

    found = course.look({**course.indexed(files, put), "contents/0000-card.avro": b"guessed"})
    assert found.step == 8
    assert "contents/0000-card.avro" in found.refused


# --- who counts


def test_another_exchange_log_or_policy(course: Course, files: Files) -> None:
    """What the reader brought decides, not what lies in the package."""
    assert course.look(files, root=flipped(course.world.root, 100)).step == 2
    policy = course.archive.policy_text
    name = course.archive.log.name
    assert course.look(files, policy=policy.replace("some 2", "some 3")).step == 6
    assert course.look(files, policy=policy.replace("quorum some", "quorum w2")).step == 6
    assert course.look(files, policy=policy.replace("quorum some", "quorum none")).refused == ""
    foreign = replace(course.archive.log, name=name + "0")
    assert course.look(files, policy=policy.replace(str(course.archive.log.verifier), str(foreign.verifier))).step == 2
    second = replace(course.archive.log, name=name + "/2")
    found = course.look(files, policy=policy.replace(str(course.archive.log.verifier), str(second.verifier)))
    assert found.step == 6
    assert "is not signed by" in found.refused


def test_too_few_witnesses(course: Course) -> None:
    """One of three where two are due."""
    archive = WitnessedArchive(course.archive.journal, cosigning=1)
    found = course.look(course.files(archive=archive))
    assert found.step == 6
    assert "too few" in found.refused


def altered(course: Course, **changes: object) -> Callable[[Decided], Decided]:
    """The exchange decided otherwise about the letter's first receipt."""
    records = course.gathered(course.archive, course.letter).said
    receipt = records[1].decided.statement

    def alter(decided: Decided) -> Decided:
        if decided.statement != receipt:
            return decided
        return replace(decided, decision=replace(decided.decision, **changes))  # type: ignore[arg-type]

    return alter


@pytest.mark.parametrize("days", [-40, 500, 5000])
def test_certificates_out_of_time(course: Course, days: int) -> None:
    """Leaf and issuer must be valid when the exchange says that it decided; an expired root vouches for nothing."""
    alter = altered(course, decided=NOW + timedelta(days=days))
    found = course.look(course.files(archive=course.archived(alter)))
    assert found.step == 5
    assert "no chain to a trusted issuer was valid" in found.refused


def test_a_decision_under_another_version(course: Course) -> None:
    """The directory is the one that the decision names by its digest."""
    first = course.versions[1]
    alter = altered(course, directory_version=2, directory_digest=first.digest)
    found = course.look(course.files(archive=course.archived(alter)))
    assert found.step == 5
    assert "is not snapshot 2" in found.refused


def test_a_statement_that_the_decision_does_not_name(course: Course) -> None:
    """Rule 3.1."""
    found = course.look(course.files(archive=course.archived(altered(course, statement=bytes(32)))))
    assert found.step == 3
    assert "names another statement" in found.refused


@pytest.mark.parametrize("name", ["snapshot", "targets", "bodies-", "alpha", "exchange.json"])
def test_an_altered_directory(course: Course, files: Files, name: str) -> None:
    """Each file is named by its digest, and so missing when it is another."""
    chosen = next(each for each in files if each.startswith("directory/") and name in each)
    found = course.look({**files, chosen: flipped(files[chosen], 40)})
    assert found.step == 5
    assert "lacks the file" in found.refused


# --- any byte


@settings(max_examples=20, deadline=None)
@given(at=st.integers(0, 1 << 30), by=st.integers(1, 255))
def test_no_byte_can_be_altered_to_mean_something_else(course: Course, whole: bytes, at: int, by: int) -> None:
    """Most are found; what is left are a zip's dates and rights, which say nothing."""
    found, true = course.look(flipped(whole, at, by)), course.look(whole)
    assert found.refused or (found.steps, found.story) == (true.steps, true.story)


UNBELIEVED = {"report.en.html", "log.policy"}
"""What is there for people, or what the reader brings anyway. Zips have dates and rights, PEM has words around it."""


@settings(max_examples=30, deadline=None)
@given(which=st.integers(0, 1 << 30), at=st.integers(0, 1 << 30), by=st.integers(1, 255))
def test_nor_when_the_manifest_is_made_anew(course: Course, files: Files, which: int, at: int, by: int) -> None:
    """An outsider can do that: then signatures and digests behind it tell."""
    name = sorted(files)[which % len(files)]
    found, true = course.look({**files, name: flipped(files[name], at, by)}), course.look(files)
    assert found.refused or (found.steps, found.story) == (true.steps, true.story), name
    assert found.refused or name in UNBELIEVED or name.endswith((".asics", ".pem")), name


@pytest.fixture(scope="module")
def whole(course: Course, files: Files) -> bytes:
    """A true package."""
    return course.zipped(files)
