"""Bodies are found by what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.directory import Body, BodyStatus, Names
from exchange.domain.search import find_bodies, folded


def body(code: str, ky: str, ru: str, en: str, *uids: str) -> Body:
    """A body of these names."""
    return Body(code, Names(ky, ru, en), "body", BodyStatus.CONNECTED, uids)


BODIES = [
    body(
        "mfa",
        "Кыргыз Республикасынын Тышкы иштер министрлиги",
        "Министерство иностранных дел",
        "Ministry of Foreign Affairs",
        "uid-mfa",
    ),
    body("minjust", "Юстиция министрлиги", "Министерство юстиции", "Ministry of Justice"),
    body("natstat", "Улуттук статистика комитети", "Национальный статистический комитет", "Statistics Committee"),
    body("ak-suu", "Ак-Суу айыл өкмөтү", "Ак-Суйский айыл окмоту", "Ak-Suu ayil okmotu"),
    body("on-archa", "Он-Арча айыл өкмөтү", "Он-Арчинский айыл окмоту", "On-Archa ayil okmotu"),
    body("besh-tash", "Беш-Таш айыл өкмөтү", "Бешташский айыл окмоту", "Besh-Tash ayil okmotu"),
]


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        ("mfa", ["mfa"]),
        ("uid-mfa", ["mfa"]),
        ("МИД", ["mfa"]),
        ("мид", ["mfa"]),
        ("мин-во иностранных дел", ["mfa"]),
        ("министерство", ["mfa", "minjust"]),
        ("дел иностр", ["mfa"]),
        ("ministry of justice", ["minjust"]),
        ("айыл өкмөтү", ["ak-suu", "besh-tash", "on-archa"]),
        ("айыл окмоту", ["ak-suu", "besh-tash", "on-archa"]),
        ("АЙЫЛ ӨКМӨТҮ", ["ak-suu", "besh-tash", "on-archa"]),
        ("Ак-Суу а/о", ["ak-suu"]),
        ("ак суу", ["ak-suu"]),
        ("он-арча", ["on-archa"]),
        ("улуттук стат", ["natstat"]),
        ("nat", ["natstat"]),
        ("nobody", []),
        ("", []),
        (" - ", []),
    ],
)
def test_found(wanted: str, codes: list[str]) -> None:
    """The best first, others by code."""
    assert [found.code for found in find_bodies(BODIES, wanted)] == codes


@pytest.mark.parametrize(("one", "other"), [("Тёплый", "теплый"), ("Өзгөн", "Озгон"), ("Үч", "уч"), ("Ңа", "на")])
def test_spelt_differently(one: str, other: str) -> None:
    """Letters that keyboards and habits exchange."""
    assert folded(one) == folded(other)


@given(st.text(max_size=40))
def test_any_text_is_an_answer(wanted: str) -> None:
    """Whatever is typed finds some bodies, each once, and folding again changes nothing."""
    codes = [found.code for found in find_bodies(BODIES, wanted)]
    assert len(set(codes)) == len(codes)
    assert folded(folded(wanted)) == folded(wanted)


@given(st.sampled_from(BODIES), st.data())
def test_its_own_names_find_it(wanted: Body, data: st.DataObject) -> None:
    """In every language, in any case, in any order of words."""
    name = data.draw(st.sampled_from([wanted.names.ky, wanted.names.ru, wanted.names.en]))
    words = data.draw(st.permutations(folded(name).split()))
    case = data.draw(st.sampled_from([str.upper, str.lower, str.title]))
    assert wanted in find_bodies(BODIES, case(" ".join(words)))
