"""Strict JSON: what is refused, with its place, and what is found again."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats.json_profile.source import DEPTH, JSON_BYTES, VALUES, Source, encode, pointer, steps_of
from exchange.domain.errors import DocumentError
from tests.strategies import mutations

NAMES = st.text("abж/~\\\"'$.0 \ud7ff𐍈", max_size=4)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**80)
    | NAMES
    | st.sampled_from([Decimal("1.10"), Decimal("-2E+7")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (b"", "document-malformed", "line 1"),
        (b"[1]", "document-malformed", "line 1, the whole"),
        (b'{"a": 1', "document-malformed", "line 1"),
        (b'{\n"a": 01}', "document-malformed", "line 2"),
        (b'{"a": "\n"}', "document-malformed", "line 1"),
        (b'{"a": 1} {}', "document-malformed", "line 1"),
        (b'{"a": 1,}', "document-malformed", "line 1"),
        (b'{"b": [\n{"a": 1, "c": 2,\n "a": 3}]}', "document-malformed", "line 2, /b/0/a"),
        (b'{"b": 1,\n"a": [0, NaN]}', "document-malformed", "line 2, /a/1"),
        (b'{"a": -Infinity}', "document-malformed", "line 1, /a"),
        (b'{"a": 1e999}', "document-malformed", "line 1, /a"),
        (b'{"a": 1e-99999999999999999999}', "document-malformed", "line 1, /a"),
        (b'{"a": ' + b"9" * 5000 + b"}", "document-malformed", "line 1, /a"),
        (b'{"a": \n"\\ud800"}', "document-encoding", "line 2, /a"),
        (b'{"a": {"\\udc00": 1}}', "document-encoding", "line 1, /a"),
        (b'{"a": "\xff"}', "document-encoding", "line 1"),
        ('{"a": "Кат"}'.encode("cp1251"), "document-encoding", "line 1"),
        ('{"a": 1}'.encode("utf-16"), "document-encoding", "f"),
        ('{"a": 1}'.encode("utf-16-le"), "document-encoding", "f"),
        ('{"a": 1}'.encode("utf-32-be"), "document-encoding", "f"),
        (b'{"a": ' + b"[" * DEPTH + b"]" * DEPTH + b"}", "document-malformed", "line 1, /a/0/0"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "document-malformed", "line 1, the whole"),
        (b'{"a": [' + b"0," * VALUES + b"0]}", "document-too-large", "f"),
        (b'{"a": "' + b"A" * JSON_BYTES + b'"}', "document-too-large", "f"),
        (b'{"a\\n/~b": NaN}', "document-malformed", "line 1, /a?~1~0b"),
    ],
)  # fmt: skip
def test_what_is_refused(text: bytes, code: str, place: str) -> None:
    """Each with its code, the line and the pointer."""
    with pytest.raises(DocumentError) as caught:
        Source(text, "f")
    assert caught.value.code == code
    assert place in caught.value.place


@pytest.mark.parametrize("depth", range(900, 1001, 4))
def test_what_is_nested_nearly_too_deep_for_python(depth: int) -> None:
    """Also where a fault beside it must be found: no other error than ours."""
    with pytest.raises(DocumentError) as caught:
        Source(b'{"a": ' + b"[" * depth + b"]" * depth + b', "b": NaN}', "f")
    assert caught.value.code == "document-malformed"


def test_a_byte_order_mark_is_left_out() -> None:
    """Notepad writes one."""
    assert Source(b'\xef\xbb\xbf{"a": 1}', "f").tree == {"a": 1}


def test_a_pair_of_escapes_is_one_character() -> None:
    """What Java and C# write for a character beyond the first plane."""
    assert Source(b'{"a": "\\ud83d\\udcc4"}', "f").tree == {"a": "📄"}


@given(TREES)
@settings(max_examples=60)
def test_what_is_encoded_is_read_again(value: Any) -> None:
    """Also numbers that a double could not hold."""
    tree = {"a": value}
    assert encode(Source(encode(tree), "f").tree) == encode(tree)


@given(TREES, st.data())
@settings(max_examples=60)
def test_any_value_is_found_by_its_path(value: Any, data: st.DataObject) -> None:
    """However the document is laid out, a fault names the line in which the value begins."""
    path: tuple[str | int, ...] = ("mark",)
    at, mark = value, 7
    while isinstance(at, dict | list) and at:
        step = data.draw(st.sampled_from([*at] if isinstance(at, dict) else range(len(at))))
        path, at = (*path, step), at[step]
    text = json.dumps({"mark": value, "more": mark}, indent=1, default=float, ensure_ascii=data.draw(st.booleans()))
    line = int(str(Source(text.encode(), "f").fault(path, "").place).split(", ")[1].removeprefix("line "))
    last = text.split("\n")[line - 1]
    assert isinstance(path[-1], int) or json.dumps(path[-1]) in last or json.dumps(path[-1], ensure_ascii=False) in last


@given(st.lists(NAMES, min_size=1, max_size=4))
@settings(max_examples=40)
def test_pointers_lead_back(steps: list[str]) -> None:
    """RFC 6901: slashes and tildes are written otherwise."""
    assert steps_of(pointer(tuple(steps))) == steps


@given(mutations('{"a": [1, {"b": "ң\\n\\u00e9"}], "c": -1.5e3, "d": null}'.encode()) | st.binary(max_size=40))
@settings(max_examples=150)
def test_any_bytes_are_an_object_or_an_error(text: bytes) -> None:
    """Nothing but `DocumentError`."""
    try:
        assert isinstance(Source(text, "f").tree, dict)
    except DocumentError as error:
        assert error.code.startswith("document-")
