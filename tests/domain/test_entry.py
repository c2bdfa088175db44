"""What an entry may say of a body: each rule broken once, all told together."""

from dataclasses import replace

import pytest

from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.entry import Surroundings, entry_problems, lies_in

RAION = Body("ak-suu", Names("Ак-Суу", "Ак-Суу", ""), "raion", BodyStatus.CONNECTED, soate="41702205000000")
LEFT = replace(RAION, code="gone", status=BodyStatus.LEFT, soate="")
AIYL = Body(
    "ak-bulun",
    Names("Ак-Булуң", "Ак-Булун", ""),
    "ayil-okmotu",
    BodyStatus.REQUESTED,
    uids=("ORG-1",),
    soate="41702205805000",
    parent="ak-suu",
)
AROUND = Surroundings(
    {"ak-suu": RAION, "gone": LEFT, "carried": replace(RAION, code="carried", gateway="ak-suu")},
    {"ORG-2": "ak-suu"},
    frozenset({"41702205000000", "41702205805000", "41702210805000"}),
)


def codes(body: Body) -> list[str]:
    """Codes of all problems."""
    return [problem.code for problem in entry_problems(body, AROUND)]


def test_a_sound_entry_has_no_problem() -> None:
    """Also with its raion as its gateway, and where its own entry is listed already."""
    assert codes(AIYL) == []
    assert codes(replace(AIYL, gateway="ak-suu")) == []
    around = replace(AROUND, owners={"ORG-1": "ak-bulun"})
    assert list(entry_problems(AIYL, around)) == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("kind", "empire", "kind-unknown"),
        ("names", Names("", "Ак-Булун", ""), "name-missing"),
        ("soate", "", "soate-missing"),
        ("soate", "41702205999000", "soate-unknown"),
        ("soate", "41702210805000", "soate-mismatch"),
        ("parent", "nobody", "parent-unknown"),
        ("parent", "ak-bulun", "parent-unknown"),
        ("gateway", "nobody", "gateway-unknown"),
        ("gateway", "ak-bulun", "gateway-unknown"),
        ("gateway", "gone", "gateway-unknown"),
        ("gateway", "carried", "gateway-unknown"),
        ("uids", ("ORG-1", "ORG-2"), "identifier-taken"),
    ],
)
def test_each_rule(field: str, value: object, code: str) -> None:
    """Each broken rule has its code."""
    assert codes(replace(AIYL, **{field: value})) == [code]  # type: ignore[arg-type]


def test_all_problems_at_once() -> None:
    """Nobody has to send a file five times."""
    wrong = replace(AIYL, kind="empire", names=Names("", "", ""), soate="1", parent="nobody", uids=("ORG-2",))
    assert set(codes(wrong)) == {"kind-unknown", "name-missing", "soate-unknown", "parent-unknown", "identifier-taken"}


def test_a_ministry_has_no_place() -> None:
    """Central bodies need no SOATE."""
    assert codes(replace(AIYL, kind="ministry", soate="", parent="")) == []


@pytest.mark.parametrize(
    ("soate", "place", "lies"),
    [
        ("41702205805000", "41702205000000", True),
        ("41702205805000", "41702000000000", True),
        ("41702205805000", "41702205805000", True),
        ("41702410000010", "41702000000000", True),
        ("41702205805000", "41702210000000", False),
        ("41703204805000", "41702000000000", False),
        ("41702000000000", "41702205000000", False),
        ("41711201000000", "41711000000000", True),
    ],
)
def test_places_lie_in_places(soate: str, place: str, *, lies: bool) -> None:
    """Country, oblast, raion, ayil aimak, village: whole groups of digits, not digits."""
    assert lies_in(soate, place) is lies
