"""docs/evidence.md and both implementations say the same."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
from exchange_verify import statements, steps
from exchange_verify.errors import Refused, within
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.domain.decision import Decided
from exchange.domain.errors import WireError
from exchange.domain.event import ETSI_EVENTS
from exchange.domain.statement import Command, Deadline, Letter, Open, Receipt, Statement, Void
from exchange.wire.records import VERSIONS, decode, decode_statement, encode
from tests.strategies import values

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
TEXT = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
KINDS = (Letter, Receipt, Open, Void, Deadline, Command)


def test_the_worked_example() -> None:
    """Bytes, digest and fields of the page are those of a golden record."""
    block = TEXT[TEXT.index("\n000000000c ") :]
    data = bytes.fromhex("".join(re.findall(r"^([0-9a-f]+) +\S", block[: block.index("```")], re.MULTILINE)))
    assert data == (GOLDEN / "0012-open-v1.first.avro").read_bytes()
    assert f"`{sha256(data).hexdigest()}`" in TEXT
    assert statements.read(data)[1]["head"]["body"] == "mfa"


def test_events_have_the_names_of_the_standard() -> None:
    """As `exchange.domain.event` has them."""
    table = dict(re.findall(r"\| `([a-z-]+)` \| ([A-Z]\w+) \|", TEXT))
    assert table == {event.value: name for event, name in ETSI_EVENTS.items()}


def test_schemas_have_their_numbers() -> None:
    """As `schemas/avro/` has them."""
    for kind in KINDS:
        assert f"| {VERSIONS[kind][0]} | {kind.__name__.lower()} |" in TEXT
    assert f"| {VERSIONS[Decided][0]} | `Decided`" in TEXT


def test_records_are_spelled_out() -> None:
    """Field by field, so that a second verifier needs nothing but the page."""
    block = re.sub(r"\n {10}", " ", TEXT[TEXT.index("\nhead  ") :].partition("```")[0])
    found = dict(line.split(maxsplit=1) for line in block.strip().splitlines())
    assert found == statements._RECORDS


def test_each_step_is_explained() -> None:
    """The page's table has as many rows as the verifier has steps."""
    said = re.findall(r"^\| (\d+) [a-z]", TEXT, re.MULTILINE)
    assert [*map(int, said)] == [*map(int, re.findall(r"^ ?(\d+)\. ", steps.__doc__ or "", re.MULTILINE))]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("00[13][0-5]-*.avro")), ids=lambda path: path.name)
def test_both_readers_read_the_same(path: Path) -> None:
    """Golden records of statements and decisions, field by field."""
    if path.name[:4] in {"0031", "0032"}:
        return
    kind, fields = statements.read(path.read_bytes())
    value = decode(Decided, path.read_bytes()) if kind == "decided" else decode_statement(path.read_bytes())
    _require_same(fields, value)


@settings(max_examples=50)
@given(st.sampled_from([*KINDS, Decided]).flatmap(values))
def test_whatever_is_said_is_read_the_same(value: Statement | Decided) -> None:
    """Anything that the schemas allow."""
    _, fields = statements.read(encode(value))
    _require_same(fields, value)


@settings(max_examples=50)
@given(st.sampled_from(KINDS).flatmap(values), st.integers(0, 1 << 20), st.integers(1, 255))
def test_both_readers_refuse_the_same(value: Statement, at: int, by: int) -> None:
    """One altered byte: both read it, alike, or both do not."""
    data = bytearray(encode(value))
    data[5 + at % (len(data) - 5)] ^= by
    ours, theirs = _read(bytes(data)), _decoded(bytes(data))
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        _require_same(ours, theirs)


def _read(data: bytes) -> dict[str, object] | None:
    try:
        with within("statement"):
            return statements.read(data)[1]
    except Refused:
        return None


def _decoded(data: bytes) -> Statement | None:
    try:
        return decode_statement(data)
    except WireError:
        return None


def _require_same(fields: object, value: object) -> None:
    match fields:
        case dict():
            for name, field in fields.items():
                _require_same(field, getattr(value, name))
        case list():
            assert isinstance(value, tuple)
            for one, other in zip(fields, value, strict=True):
                _require_same(one, other)
        case _:
            found = getattr(value, "value", value)
            assert fields == found or getattr(fields, "date", lambda: None)() == found
