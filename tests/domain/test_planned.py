"""A list of planned bodies: read in any of its forms, and everything wrong told with its line."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.directory import Body, BodyStatus, Change, Contact, Directory, Names
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.planned import BYTE_ORDER_MARK, Plan, read_plan

NOW = datetime(2022, 1, 10, tzinfo=UTC)
OBLAST = Body("ik", Names("Ысык-Көл", "Иссык-Куль", ""), "oblast", BodyStatus.CONNECTED, soate="41702000000000")
SOATE = frozenset({"41702000000000", "41702205000000", "41702205805000"})
HEADER = "code;kind;name_ky;name_ru;name_en;soate;parent;gateway;identifiers"
AIYL = "ak-bulun;ayil-okmotu;Ак-Булуң;Ак-Булун;;41702205805000;ak-suu;ak-suu;ORG-1 | GUID-1"
RAION = "ak-suu;raion;Ак-Суу;Ак-Суу;;41702205000000;ik;;"


def directory(*bodies: Body) -> Directory:
    """A version with these bodies."""
    listed = {body.code: body for body in (OBLAST, *bodies)}
    return Directory(bytes(32), 1, ZERO_DIGEST, ZERO_DIGEST, NOW, 4, 4, (), listed)


def plan(*lines: str, listed: Directory | None = None) -> Plan:
    """What a list of these lines says."""
    return read_plan("\n".join(lines).encode(), listed or directory(), SOATE)


def found(*lines: str, listed: Directory | None = None) -> list[tuple[str, str]]:
    """Code and place of all problems; then nothing is taken."""
    read = plan(*lines, listed=listed)
    assert read.bodies == ()
    return [(problem.code, problem.place) for problem in read.problems]


def test_a_list_is_read() -> None:
    """Parents may stand further down; several identifiers are separated by a bar."""
    read = plan(HEADER, AIYL, RAION)
    assert read.problems == ()
    aiyl, raion = read.bodies
    assert aiyl == Body(
        "ak-bulun",
        Names("Ак-Булуң", "Ак-Булун", ""),
        "ayil-okmotu",
        BodyStatus.PLANNED,
        uids=("ORG-1", "GUID-1"),
        soate="41702205805000",
        parent="ak-suu",
        gateway="ak-suu",
    )
    assert raion.parent == "ik"


@pytest.mark.parametrize("mark", [b"", BYTE_ORDER_MARK])
@pytest.mark.parametrize("separator", [";", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_form_says_the_same(mark: bytes, separator: str, end: str) -> None:
    """What spreadsheets of any language write."""
    lines = [line.replace(";", separator) for line in (HEADER, AIYL, RAION, "")]
    assert read_plan(mark + end.join(lines).encode(), directory(), SOATE) == plan(HEADER, AIYL, RAION)


def test_few_columns_in_any_order() -> None:
    """Quoted names may hold separators and line ends; blank lines are passed over."""
    read = plan("name_ru,kind,code,name_ky", '"Министерство, новое\nи большое",ministry,new,Жаңы', "", ",,,")
    assert read.problems == ()
    (body,) = read.bodies
    assert body.names.ru == "Министерство, новое\nи большое"


def test_the_same_again_changes_nothing() -> None:
    """And who is planned may be planned otherwise; what the list does not say stays."""
    planned = plan(HEADER, RAION).bodies[0]
    change = Change(1, ZERO_DIGEST, NOW, "a.osmonova", "planned")
    contact = Contact("IT", "А. Б.", "", "")
    listed = directory(replace(planned, change=change, contacts=(contact,)))
    assert plan(HEADER, RAION, listed=listed) == Plan((), ())
    (body,) = plan(HEADER, RAION.replace("Ак-Суу;Ак-Суу", "Ак-Суу;Ак-Су"), listed=listed).bodies
    assert (body.names.ru, body.contacts, body.change) == ("Ак-Су", (contact,), None)


def test_everything_is_told_at_once() -> None:
    """In the order of the lines, with the column where there is one."""
    assert found(
        HEADER,
        RAION,
        RAION,
        "svc-x;raion;а;а;;41702205000000;;;",
        "one;empire;а;;;;;;",
        "two;ayil-okmotu;а;а;;41709205805000;nobody;;",
        "three;raion",
        "ik;oblast;а;а;;41702000000000;;;",
        "four;ayil-okmotu;а;а;;41702000000000;ak-suu;nobody;",
    ) == [
        ("code-repeated", "line 3, column code"),
        ("body-code-invalid", "line 4, column code"),
        ("kind-unknown", "line 5, column kind"),
        ("name-missing", "line 5, column name_ru"),
        ("soate-unknown", "line 6, column soate"),
        ("parent-unknown", "line 6, column parent"),
        ("list-columns", "line 7"),
        ("body-listed", "line 8, column code"),
        ("soate-mismatch", "line 9, column soate"),
        ("gateway-unknown", "line 9, column gateway"),
    ]


def test_an_identifier_belongs_to_one_body() -> None:
    """To that of the first line, or to whom the directory gives it."""
    again = AIYL.replace("ak-bulun", "other").replace("GUID-1", "GUID-2")
    assert found(HEADER, AIYL, RAION, again) == [("identifier-taken", "line 4, column identifiers")]
    owner = replace(OBLAST, uids=("GUID-1",))
    assert found(HEADER, AIYL, RAION, listed=directory(owner)) == [("identifier-taken", "line 2, column identifiers")]


def test_nobody_stands_above_itself() -> None:
    """Neither directly nor in a ring; who hangs below a ring is not blamed for it."""
    ring = ("a;ministry;а;а;;;b;;", "b;ministry;а;а;;;a;;", "c;ministry;а;а;;;a;;", "d;ministry;а;а;;;d;;")
    assert [place for _, place in found(HEADER, *ring)] == [f"line {number}, column parent" for number in (2, 3, 5)]


def test_broken_encoding_is_told_with_line_and_byte() -> None:
    """Beside everything else."""
    lines = [HEADER.encode(), RAION.encode(), "x;ministry;Ак;Ак;;;;;".encode("cp1251"), b"y;empire;a;a;;;;;"]
    read = read_plan(b"\n".join(lines), directory(), SOATE)
    assert [(problem.code, problem.place) for problem in read.problems] == [
        ("list-encoding", "line 3, byte 12"),
        ("kind-unknown", "line 4, column kind"),
    ]
    assert "0xc0" in read.problems[0].text


@pytest.mark.parametrize(
    ("header", "named"),
    [("code;kind;name_ky", "name_ru"), (f"{HEADER};colour", "colour"), (f"{HEADER};code", "'code'"), ("", "code")],
)
def test_a_header_that_is_wrong(header: str, named: str) -> None:
    """Nothing below it is looked at."""
    read = plan(header, "nonsense")
    assert {problem.code for problem in read.problems} == {"list-columns"}
    assert named in read.problems[0].text


def test_a_quote_that_never_ends() -> None:
    """Is no CSV."""
    assert found(HEADER, '"open;raion') == [("list-unreadable", "line 2")]


@given(
    st.binary(max_size=200) | st.text(alphabet='a;,"\n\r|', max_size=80).map(lambda text: f"{HEADER}\n{text}".encode())
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Never another error."""
    read = read_plan(data, directory(), SOATE)
    assert not (read.bodies and read.problems)
