"""Packages before others' eyes: the EU's validator DSS and Bouncy Castle, offline, by a small Java program."""

import io
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from exchange.services.evidence.commands import AUTHORITY_ROOT, LIBRARIES
from tests.java.programs import CHECK, JARS, as_printed, fetched
from tests.requirements import requires_tool
from tests.services.evidence.desk import Desk, opened

pytestmark = [
    pytest.mark.server,
    requires_tool("openssl", debian="openssl"),
    requires_tool("unzip", debian="unzip"),
]

CHANGES: Mapping[str, tuple[bytes, str] | tuple[bytes, str, str]] = {
    "statement": (b"alph", "statements/0001-letter.asics", "statement"),
    "content": (b"%PDF-1.4 the ", "contents/0001-1.pdf"),
    "manifest": (b"text/ht", "META-INF/ASiCManifest.xml"),
}

Line = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Desk]]:
    """One with revocation lists and time-stamps, one without."""
    now = datetime.now(UTC).replace(microsecond=0)
    with (
        opened(tmp_path_factory.mktemp("listed"), listed=True, renewed=True, now=now) as listed,
        opened(tmp_path_factory.mktemp("plain"), listed=False, now=now) as plain,
    ):
        yield listed, plain


def changed(package: bytes, names: Sequence[str], old: bytes) -> bytes:
    """The same package with one byte of a file changed: that behind `old`.

    Args:
        package: a zip.
        names: of the file; of one in a zip within the package, that zip's first.
        old: stands before the byte.
    """
    with zipfile.ZipFile(io.BytesIO(package)) as source:
        files = {each: source.read(each) for each in source.namelist()}
    name, *rest = names
    if rest:
        files[name] = changed(files[name], rest, old)
    else:
        at = files[name].index(old) + len(old)
        files[name] = files[name][:at] + bytes([files[name][at] ^ 1]) + files[name][at + 1 :]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for each, data in files.items():
            archive.writestr(each, data)
    return target.getvalue()


@pytest.fixture(scope="module")
def judged(desks: tuple[Desk, Desk]) -> Mapping[str, set[Line]]:
    """What both libraries say of each package: library, file, indication with sub-indication, format.

    By the commands that the report prints, once as they are, and once with more packages behind.
    """
    listed, plain = desks
    printed, unlisted = listed.packed("case.asice"), plain.packed("case.asice", "--unstamped")
    fetched(listed.folder / "java")
    (plain.folder / "java").symlink_to(listed.folder / "java")
    for desk, found in ((listed, printed), (plain, unlisted)):
        as_printed(found["commands"][0], desk.folder)
    root = listed.folder / "root-alone.pem"
    shutil.copy(listed.folder / AUTHORITY_ROOT, root)
    with (listed.folder / AUTHORITY_ROOT).open("ab") as trusted:
        trusted.write((listed.authority.folder / "authority.crt.pem").read_bytes())
    for what, (old, *names) in CHANGES.items():
        whole = (listed.folder / "case.asice").read_bytes()
        (listed.folder / f"{what}.asice").write_bytes(changed(whole, names, old))
    _fetch, compiled, run = printed["java"]
    as_printed(compiled, listed.folder)
    found = {"LTA": as_printed(run, listed.folder)}
    found["changed"] = as_printed(f"{run} {' '.join(f'{what}.asice' for what in CHANGES)}", listed.folder)
    issuers, now = listed.folder / "case/directory/issuers.crt.pem", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    as_root = f" {issuers} {root} --at {now} {listed.folder / 'case.asice'}"
    found["B"] = as_printed(unlisted["java"][2] + as_root, plain.folder)
    said = {name: _read(text) for name, text in found.items()}
    return {
        "LTA": said["LTA"]["case.asice"],
        "B": said["B"]["case.asice"],
        "T": said["B"][str(listed.folder / "case.asice")],
        **{what: said["changed"][f"{what}.asice"] for what in CHANGES},
    }


def _read(text: str) -> dict[str, set[Line]]:
    found: dict[str, set[Line]] = {}
    for line in text.splitlines():
        package, by, file, said, why, kind = line.split("\t")
        found.setdefault(package, set()).add((by, file, f"{said} {why}".strip(), kind))
    return found


STATEMENTS = [
    "statements/0001-letter.asics",
    *(f"statements/000{number}-receipt.asics" for number in (2, 3, 4)),
    "statements/0005-deadline.asics",
    "statements/0006-receipt.asics",
]


NO_LISTS = "INDETERMINATE CERTIFICATE_CHAIN_GENERAL_FAILURE"
CONTAINER = {
    ("bouncycastle", "META-INF/timestamp.tst", "PASSED", "timestamp"),
    ("bouncycastle", "META-INF/evidencerecord.ers", "PASSED", "evidence-record"),
    *(("bouncycastle", name, "PASSED", "signature") for name in STATEMENTS),
}


def test_a_package_with_revocation_lists_and_time_stamps_passes(judged: Mapping[str, set[Line]]) -> None:
    """Time-stamp and evidence record of the container, and each statement as CAdES-BASELINE-LT, by printed commands."""
    assert judged["LTA"] == {
        *CONTAINER,
        *(("dss", "package", "PASSED", kind) for kind in ("timestamp", "evidence-record")),
        *(("dss", name, "TOTAL_PASSED", "CAdES-BASELINE-LT") for name in STATEMENTS),
    }


def test_an_authority_whose_own_lists_are_not_there(judged: Mapping[str, set[Line]]) -> None:
    """Its root alone is trusted: then each statement is CAdES-BASELINE-T, and holds."""
    assert judged["T"] == {
        *CONTAINER,
        *(("dss", "package", NO_LISTS, kind) for kind in ("timestamp", "evidence-record")),
        *(("dss", name, "TOTAL_PASSED", "CAdES-BASELINE-T") for name in STATEMENTS),
    }


def test_without_revocation_lists_dss_says_what_is_missing(judged: Mapping[str, set[Line]]) -> None:
    """The signatures hold; what was revoked stands in the exchange's directory, which DSS cannot read."""
    assert judged["B"] == {
        *(("dss", name, NO_LISTS, "CAdES-BASELINE-B") for name in STATEMENTS),
        *(("bouncycastle", name, "PASSED", "signature") for name in STATEMENTS),
    }


@pytest.mark.parametrize(
    ("package", "seen"),
    [
        (
            "statement",
            {
                ("dss", "statements/0001-letter.asics", "TOTAL_FAILED HASH_FAILURE", "CAdES-BASELINE-LT"),
                ("bouncycastle", "statements/0001-letter.asics", "FAILED", "signature"),
                ("dss", "package", "FAILED HASH_FAILURE", "timestamp"),
            },
        ),
        ("content", {("dss", "package", "FAILED HASH_FAILURE", "timestamp")}),
        (
            "manifest",
            {
                ("dss", "package", "FAILED HASH_FAILURE", "timestamp"),
                ("bouncycastle", "META-INF/timestamp.tst", "FAILED", "timestamp"),
            },
        ),
    ],
)
def test_a_changed_byte_fails(judged: Mapping[str, set[Line]], package: str, seen: set[Line]) -> None:
    """In a statement, in a file of the letter, in the manifest: by each library that looks there."""
    assert {line for line in judged[package] if not line[2].endswith("PASSED")} == seen


def test_maven_is_asked_for_the_libraries_that_the_report_names() -> None:
    """And what it fetches with their dependencies is what these tests run by."""
    text = (CHECK.parent / "pom.xml").read_text()
    asked = re.findall(r"<groupId>(.+)</groupId><artifactId>(.+)</artifactId><version>(.+)</version>", text)
    assert tuple(":".join(each) for each in asked) == LIBRARIES
    assert set(LIBRARIES) <= {jar.coordinate for jar in JARS}
