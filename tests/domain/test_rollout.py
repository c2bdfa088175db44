"""The count of the roll-out."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.directory import Body, BodyStatus, Names, Paper
from exchange.domain.entry import OWN_KIND
from exchange.domain.rollout import AYIL_OKMOTU, Area, Count, CutOff, count_roll_out, silent_bodies

TODAY = date(2022, 2, 26)
MARCH, APRIL = date(2022, 3, 1), date(2022, 4, 1)
NAMES = {
    "41708000000000": "Чуйская область",
    "41708203000000": "Аламудунский район",
    "41708400000010": "Токмок",
    "41711000000000": "Бишкек",
    "41711201000000": "Ленинский район",
}


def body(
    code: str, soate: str = "", status: BodyStatus = BodyStatus.CONNECTED, paper: Paper | None = None, **more: str
) -> Body:
    """A body somewhere."""
    names = Names(code, code, code)
    kind = more.get("kind", AYIL_OKMOTU if "ayil" in code else "service")
    return Body(code, names, kind, status, soate=soate, gateway=more.get("gateway", ""), paper=paper)


BODIES = [
    body("prezident", paper=Paper(MARCH, APRIL)),
    body("planned", status=BodyStatus.PLANNED),
    body("gone", "41708203805000", BodyStatus.LEFT),
    body("ayil-1", "41708203805000"),
    body("ayil-2", "41708203810000", BodyStatus.PLANNED, Paper(APRIL, None), gateway="bridge"),
    body("ayil-3", "41708203815000", BodyStatus.TESTING),
    body("tokmok", "41708400000010"),
    body("chui", "41708000000000"),
    body("lenin", "41711201000000"),
    body("unnamed", "41702205805000"),
    body("echo", kind=OWN_KIND),
]


def test_counts_by_oblast_and_raion() -> None:
    """Ayil okmotu by themselves; central ones first, without the echo; an oblast's own bodies in none of its raions."""
    found = count_roll_out(BODIES, NAMES, TODAY)
    assert found.country == Area("", "", Count(6, 9), Count(1, 3), 1)
    assert found.oblasts == (
        Area("", "", Count(1, 2), Count(0, 0), 0),
        Area("41702", "", Count(1, 1), Count(0, 0), 0, (Area("41702205", "", Count(1, 1), Count(0, 0), 0),)),
        Area(
            "41708",
            "Чуйская область",
            Count(3, 5),
            Count(1, 3),
            1,
            (
                Area("41708203", "Аламудунский район", Count(1, 3), Count(1, 3), 1),
                Area("41708400", "Токмок", Count(1, 1), Count(0, 0), 0),
            ),
        ),
        Area(
            "41711",
            "Бишкек",
            Count(1, 1),
            Count(0, 0),
            0,
            (Area("41711201", "Ленинский район", Count(1, 1), Count(0, 0), 0),),
        ),
    )


def test_cut_offs() -> None:
    """Every day that an entry names, with how many bodies it concerns and how far away it is."""
    found = count_roll_out(BODIES, NAMES, TODAY)
    assert found.cut_offs == (CutOff(MARCH, 3, 1, 0), CutOff(APRIL, 34, 1, 1))
    assert count_roll_out(BODIES, NAMES, date(2022, 3, 2)).cut_offs[0].days_left == -1


def test_who_is_silent() -> None:
    """Of those connected only: a body that is tried out, or carried, owes nobody a word; nor does the echo."""
    assert silent_bodies(BODIES, {"chui", "lenin", "stranger"}) == ("ayil-1", "prezident", "tokmok", "unnamed")


def test_share() -> None:
    """Of nobody there is none."""
    assert Count(74, 105).percent == 100 * 74 / 105
    assert Count(0, 0).percent is None


@given(st.lists(st.sampled_from(["41702205805000", "41702210000000", "41708000000000", "41711201000000", ""])))
def test_parts_make_the_whole(soates: list[str]) -> None:
    """Nobody is lost or counted twice, wherever it is."""
    bodies = [body(f"ayil-{number}", soate) for number, soate in enumerate(soates)]
    found = count_roll_out(bodies, NAMES, TODAY)
    assert found.country.all.bodies == len(bodies)
    assert sum(oblast.all.bodies for oblast in found.oblasts) == len(bodies)
    for oblast in found.oblasts:
        assert sum(raion.all.bodies for raion in oblast.raions) <= oblast.all.bodies
