"""Packages before others' eyes: the EU's validator DSS and Bouncy Castle, offline, by a small Java program."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence

import pytest

from tests.java.programs import run_program
from tests.requirements import requires_tool
from tests.services.evidence.desk import Desk, opened

pytestmark = [pytest.mark.server, requires_tool("openssl", debian="openssl")]

AS_OF = "2026-03-02T00:00:00Z"
"""A day after the world's statements: certificates of tests end, what they proved then stays."""

CHANGES: Mapping[str, tuple[bytes, str] | tuple[bytes, str, str]] = {
    "statement": (b"alph", "statements/0001-letter.asics", "statement"),
    "content": (b"%PDF-1.4 the ", "contents/0001-1.pdf"),
    "manifest": (b"text/ht", "META-INF/ASiCManifest.xml"),
}

Line = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Desk]]:
    """One with revocation lists and time-stamps, one without."""
    with (
        opened(tmp_path_factory.mktemp("listed"), listed=True) as listed,
        opened(tmp_path_factory.mktemp("plain"), listed=False) as plain,
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
def judged(desks: tuple[Desk, Desk], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[Line]]:
    """What both libraries say of each package: library, file, indication with sub-indication, format."""
    listed, plain = desks
    for desk in desks:
        desk.packed("case.asice", *(() if desk is listed else ("--unstamped",)))
    whole, folder = listed.folder / "case.asice", tmp_path_factory.mktemp("java")
    packages = {"LTA": whole, "B": plain.folder / "case.asice"}
    for what, (old, *names) in CHANGES.items():
        packages[what] = folder / f"{what}.asice"
        packages[what].write_bytes(changed(whole.read_bytes(), names, old))
    trusted = folder / "trusted.pem"
    with zipfile.ZipFile(whole) as one, zipfile.ZipFile(packages["B"]) as other:
        roots = b"".join(each.read("directory/issuers.crt.pem") for each in (one, other))
    trusted.write_bytes(roots + (listed.authority.folder / "authority.crt.pem").read_bytes())
    lines = run_program("EvidenceCheck", folder, trusted, AS_OF, *packages.values())
    return {
        name: {
            (by, file, f"{said} {why}".strip(), kind) for at, by, file, said, why, kind in lines if at == str(package)
        }
        for name, package in packages.items()
    }


STATEMENTS = [
    "statements/0001-letter.asics",
    *(f"statements/000{number}-receipt.asics" for number in (2, 3, 4)),
    "statements/0005-deadline.asics",
    "statements/0006-receipt.asics",
]


def test_a_package_with_revocation_lists_and_time_stamps_passes(judged: Mapping[str, set[Line]]) -> None:
    """The container's time-stamp, and each statement as CAdES-BASELINE-B: nothing else is claimed of one alone."""
    assert judged["LTA"] == {
        ("dss", "package", "PASSED", "timestamp"),
        ("bouncycastle", "META-INF/timestamp.tst", "PASSED", "timestamp"),
        *(("dss", name, "TOTAL_PASSED", "CAdES-BASELINE-B") for name in STATEMENTS),
        *(("bouncycastle", name, "PASSED", "signature") for name in STATEMENTS),
    }


def test_without_revocation_lists_dss_says_what_is_missing(judged: Mapping[str, set[Line]]) -> None:
    """The signatures hold; what was revoked stands in the exchange's directory, which DSS cannot read."""
    assert judged["B"] == {
        *(("dss", name, "INDETERMINATE CERTIFICATE_CHAIN_GENERAL_FAILURE", "CAdES-BASELINE-B") for name in STATEMENTS),
        *(("bouncycastle", name, "PASSED", "signature") for name in STATEMENTS),
    }


@pytest.mark.parametrize(
    ("package", "seen"),
    [
        (
            "statement",
            {
                ("dss", "statements/0001-letter.asics", "TOTAL_FAILED HASH_FAILURE", "CAdES-BASELINE-B"),
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
