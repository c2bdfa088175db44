"""The language of groups: what it says, what it refuses, and whom it names."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.directory import Body, BodyStatus, Directory, Names
from exchange.domain.group import ITEMS, GroupInvalid, parse_group, reached
from exchange.domain.ids import ZERO_DIGEST


def body(
    code: str, kind: str = "ministry", soate: str = "", parent: str = "", status: BodyStatus = BodyStatus.CONNECTED
) -> Body:
    """A body of that place in the country."""
    return Body(code, Names(code, code, code), kind, status, soate=soate, parent=parent)


def directory(*bodies: Body, version: int = 1) -> Directory:
    """A version of the directory with these bodies."""
    issued = datetime(2026, 3, 1, tzinfo=UTC)
    those = {each.code: each for each in bodies}
    return Directory(bytes(32), version, bytes(32), ZERO_DIGEST, issued, 1, 1, (), those)


COUNTRY = directory(
    body("minjust"),
    body("natstat", "committee"),
    body("archive", "agency", parent="minjust"),
    body("notary", "agency", parent="minjust"),
    body("chui", "oblast", "41708000000000"),
    body("chui-court", "court", "41708000000000"),
    body("sokuluk", "raion", "41708222000000"),
    body("saz", "ayil-okmotu", "41708222865010"),
    body("naryn", "oblast", "41704000000000"),
)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("minjust", "minjust"),
        ("natstat, minjust", "minjust natstat"),
        ("kind:agency", "archive notary"),
        ("kind:agency, natstat, -notary", "archive natstat"),
        ("parent:minjust", "archive notary"),
        ("soate:41708", "chui chui-court saz sokuluk"),
        ("soate:41708,-kind:court", "chui saz sokuluk"),
        ("soate:41708222", "saz sokuluk"),
        ("soate:41708000000000", "chui chui-court saz sokuluk"),
        ("soate:41708222000000", "saz sokuluk"),
        ("soate:41708222865010", "saz"),
        ("soate:417, - soate:41708", "naryn"),
        ("-kind:court, all, -soate:41704, -parent:minjust", "chui minjust natstat saz sokuluk"),
        (" kind : oblast ,naryn", "chui naryn"),
        ("all, -all", ""),
        ("kind:unheard of", ""),
        ("nobody", ""),
    ],
)
def test_whom_an_expression_names(text: str, codes: str) -> None:
    """Terms add up, those behind a minus are left out, and everybody comes once, sorted."""
    assert [each.code for each in parse_group(text).members(COUNTRY.bodies)] == codes.split()


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("", 1),
        (" ", 2),
        ("minjust,", 9),
        ("minjust,, natstat", 9),
        ("minjust, Natstat", 10),
        ("kind:", 1),
        ("kind:a\nb", 1),
        ("soate:chui", 1),
        ("minjust,  soate:417080000000001", 11),
        ("minjust, soate:٤١٧", 10),
        ("parent:", 1),
        ("colour:red", 1),
        ("all, --minjust", 6),
        ("svc-router", 1),
        ("-minjust", 1),
        ("-", 1),
    ],
)
def test_what_is_none_is_refused_by_its_place(text: str, character: int) -> None:
    """The message names the character where the first wrong item begins."""
    with pytest.raises(GroupInvalid, match=f"group, character {character}:") as caught:
        parse_group(text)
    assert caught.value.code == "group-invalid"


def test_an_expression_has_so_many_items() -> None:
    """Repeated or not: what is too many is refused before any of it is read."""
    assert len(list(parse_group(",".join(["minjust"] * ITEMS)).members(COUNTRY.bodies))) == 1
    with pytest.raises(GroupInvalid, match=f"group, character {2 * ITEMS + 1}: at most {ITEMS} items"):
        parse_group("a," * 20_000)


@given(st.text(max_size=60) | st.text(alphabet="alkindsoteprc:417,- ", max_size=60))
def test_any_text_is_a_group_or_refused(text: str) -> None:
    """Whatever the text, the error is one, and what is understood can be asked."""
    try:
        group = parse_group(text)
    except GroupInvalid:
        return
    assert {each.code for each in group.members(COUNTRY.bodies)} <= COUNTRY.bodies.keys()


KINDS = ("ministry", "court", "raion")
PLACES = ("", "41708000000000", "41708222000000", "41704000000000")
CODES = tuple(f"b{index}" for index in range(8))
BODIES = st.lists(
    st.builds(body, st.sampled_from(CODES), st.sampled_from(KINDS), st.sampled_from(PLACES), st.sampled_from(CODES)),
    unique_by=lambda each: each.code,
)
TERMS = st.one_of(
    st.just("all"),
    st.sampled_from(CODES),
    st.sampled_from(KINDS).map("kind:{}".format),
    st.sampled_from(CODES).map("parent:{}".format),
    st.sampled_from(("417", "41708", "41708222", "41704")).map("soate:{}".format),
)


def named_by(term: str, each: Body) -> bool:
    """What a term says, in other words."""
    kind, _, value = term.rpartition(":")
    return {
        "": term in {"all", each.code},
        "kind": each.kind == value,
        "parent": each.parent == value,
        "soate": each.soate.startswith(value),
    }[kind]


@given(BODIES, st.lists(TERMS, min_size=1, max_size=32), st.lists(TERMS, max_size=32), st.randoms())
def test_a_group_is_a_sum_without_another(
    bodies: Sequence[Body],
    wanted: Sequence[str],
    unwanted: Sequence[str],
    random: Random,
) -> None:
    """Compared with each term asked by itself; the order of items and blanks say nothing."""
    items = [*wanted, *(f"-{term}" for term in unwanted)]
    random.shuffle(items)
    meant = {
        each.code
        for each in bodies
        if any(named_by(term, each) for term in wanted) and not any(named_by(term, each) for term in unwanted)
    }
    group = parse_group(" , ".join(items))
    found = [each.code for each in group.members({each.code: each for each in bodies})]
    assert found == sorted(meant)
    assert {each.code for each in bodies if each in group} == meant


@given(BODIES, st.lists(TERMS, min_size=1, max_size=ITEMS))
def test_terms_that_name_nobody_are_known(bodies: Sequence[Body], terms: Sequence[str]) -> None:
    """Each but `all`, as it was written."""
    found = set(parse_group(", ".join(terms)).idle({each.code: each for each in bodies}))
    assert found == {term for term in terms if term != "all" and not any(named_by(term, each) for each in bodies)}


def test_terms_left_out_that_name_nobody_are_known_too() -> None:
    """Else a slip would write to whom it was to leave out."""
    assert list(parse_group("all, -natsat, -kind:cuort").idle(COUNTRY.bodies)) == ["natsat", "kind:cuort"]


def test_who_is_reached() -> None:
    """Members by the version named, who can be written to by the one in force; never the sender."""
    named = directory(body("a"), body("b"), body("c"), body("d"), body("e", status=BodyStatus.PLANNED))
    left, kind = body("b", status=BodyStatus.LEFT), body("c", "court")
    force = directory(body("a"), left, kind, body("e"), body("new"), version=2)
    group = parse_group("kind:ministry")
    assert [each.code for each in reached(group, "a", force, named)] == ["c", "e"]
    assert [each.code for each in reached(group, "a", force)] == ["e", "new"]
    assert [each.code for each in reached(group, "a", named)] == ["b", "c", "d"]
