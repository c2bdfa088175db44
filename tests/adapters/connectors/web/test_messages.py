"""Packages as JSON: whatever an EDMS writes is a package or one family of errors."""

import base64
import contextlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.connectors import packages
from adapters.connectors.web.messages import decode_package, encoded_package
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError

LETTERS = st.text(st.characters(min_codepoint=33, max_codepoint=0x500, categories=["L", "N"]), min_size=1, max_size=20)

FILES = st.text(max_size=5) | st.lists(
    st.dictionaries(st.sampled_from(["name", "content", "text"]), st.text(max_size=5))
)


def written(files: dict[str, bytes]) -> bytes:
    """A staged package as it is sent."""
    with TemporaryDirectory() as folder:
        for name, data in files.items():
            Path(folder, name).write_bytes(data)
        return b"".join(encoded_package(Path(folder)))


@settings(max_examples=25)
@given(st.dictionaries(LETTERS.map("a{}".format), st.binary(max_size=200), max_size=4))
def test_what_is_written_is_read(files: dict[str, bytes]) -> None:
    """Every byte of every file, under the id that it was asked for by."""
    assert decode_package(written(files), "41") == Package("41", files)


def test_a_file_may_be_text() -> None:
    """For an EDMS that writes JSON into JSON."""
    said = {"name": "x", "files": [{"name": "letter.json", "text": '{"kind": "Өтүнүч"}'}]}
    assert decode_package(json.dumps(said).encode(), "x").files == {"letter.json": '{"kind": "Өтүнүч"}'.encode()}


def test_bytes_are_base64() -> None:
    """As any other program writes it."""
    data = b"\xff\x00" * 200_000
    said = json.loads(written({'a "b"': data, "c": b""}))
    assert said["files"] == [
        {"name": 'a "b"', "content": base64.b64encode(data).decode()},
        {"name": "c", "content": ""},
    ]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ('[{"name": "../a", "content": ""}]', "file-name-unsafe"),
        ('[{"name": "\\ud800", "content": ""}]', "document-malformed"),
        ('[{"name": "a", "content": "A A="}]', "document-malformed"),
        ('[{"name": "a"}]', "document-malformed"),
        ('[{"name": "a", "content": "", "text": ""}]', "document-malformed"),
        ('[{"name": "a", "content": "", "mode": 7}]', "document-malformed"),
        ('[{"name": "a", "content": ""}, {"name": "a", "content": ""}]', "file-name-repeated"),
        ('[{"name": "a", "content": "MDAwMDAw"}]', "package-too-large"),
        ("[" * 100_000, "document-malformed"),
        ("7", "document-malformed"),
    ],
)
def test_what_is_no_package_is_refused(files: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the place, and what is wrong."""
    monkeypatch.setattr(packages, "PACKAGE_BYTES", 5)
    with pytest.raises(DocumentError, match=r"^41") as caught:
        decode_package(f'{{"name": "x", "files": {files}}}'.encode(), "41")
    assert caught.value.code == code


@settings(max_examples=50)
@given(
    st.binary(max_size=100) | st.dictionaries(st.sampled_from(["name", "files"]), FILES).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_one_error_family(data: bytes) -> None:
    """Hypothesis finds nothing else."""
    with contextlib.suppress(DocumentError):
        decode_package(data, "41")
