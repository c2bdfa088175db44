"""The country made for trying out: the source's figures, the code list's places, and nothing that looks real."""

from collections import Counter

import pytest

from exchange.domain.ids import is_body_code
from exchange.domain.rollout import AYIL_OKMOTU
from exchange.embedded.country import AYIL_OKMOTU_THEN, CONNECTED_THEN, country_bodies, latin
from exchange.embedded.demo_bodies import DemoBody, demo_bodies
from exchange.settings.territory import territory

BY_OBLAST = {"02": 61, "03": 68, "04": 63, "05": 31, "06": 88, "07": 37, "08": 105}


@pytest.fixture(scope="module")
def country() -> tuple[DemoBody, ...]:
    """All bodies."""
    return country_bodies(territory())


def test_as_many_as_the_source_has(country: tuple[DemoBody, ...]) -> None:
    """541 bodies beside the ayil okmotu; of these the code list has 453, one more than the source."""
    villages = [body for body in country if body.kind == AYIL_OKMOTU]
    assert len(country) - len(villages) == CONNECTED_THEN - AYIL_OKMOTU_THEN == 541
    assert Counter(body.soate[3:5] for body in villages) == BY_OBLAST
    assert sum(BY_OBLAST.values()) == 453


def test_no_two_alike(country: tuple[DemoBody, ...]) -> None:
    """Codes, identifiers, and names within one place."""
    assert all(is_body_code(body.code) for body in country)
    assert len({body.code for body in country}) == len(country)
    assert len({uid for body in country for uid in body.uids}) == sum(len(body.uids) for body in country)
    for name in ("ky", "ru", "en"):
        assert len({(body.soate, getattr(body.names, name)) for body in country}) == len(country)


def test_who_is_made_up_says_so(country: tuple[DemoBody, ...]) -> None:
    """In every language; the bodies of the demo are as they are there."""
    real = set(demo_bodies())
    assert real <= set(country)
    for body in set(country) - real:
        assert body.names.ky.endswith("(шарттуу)")
        assert body.names.ru.endswith("(условно)")
        assert body.names.en.endswith("(made up)")
        assert body.names.en.isascii()


def test_the_same_every_time(country: tuple[DemoBody, ...]) -> None:
    """No chance in it."""
    assert country_bodies(territory()) == country


def test_places_are_in_the_code_list(country: tuple[DemoBody, ...]) -> None:
    """Every body is somewhere that exists, or central."""
    assert {body.soate for body in country if body.soate} == set(territory().names)


def test_latin_letters() -> None:
    """Sounds that need two letters, and signs that need none."""
    assert latin("Щукин объезд, Жыргаланский") == "Shchukin obezd, Zhyrgalanskiy"
