"""What holds: packages of every level, whole and with contents left out, and what is told of them."""

import pytest

from tests.verify.making import STAMPED, Course


def test_a_whole_package_holds_and_tells_the_letter_s_story(course: Course) -> None:
    """Of each step there is a sentence, and of each statement who said it and what the exchange decided."""
    found = course.look(course.package())
    assert (found.refused, found.unchecked, len(found.steps)) == ("", "", 10)
    assert [line.split("  ")[1] for line in found.story] == [
        "alpha: letter, accepted to beta, gamma",
        "beta: receipt, delivered",
        "beta: receipt, handed-over",
        "beta: receipt, registered",
        "exchange-tracker: deadline, expired",
        "gamma: receipt, refused",
    ]
    assert found.steps[5] == "each decision is in the log, by its checkpoint of size 3, cosigned by w0, w1"


def test_time_stamps_make_higher_levels(course: Course) -> None:
    """Manifest, checkpoint and each signature were there when the authority says."""
    found = course.look(course.package(stamped=True))
    assert (found.refused, found.unchecked) == ("", "")
    told = [each.rpartition(" was there at ") for each in found.steps[8].split("; ")]
    assert {time for *_, time in told} == {f"{STAMPED:%Y-%m-%dT%H:%M:%SZ}"}
    statements = [line.partition("  ")[2].partition(": ")[2].partition(",")[0] for line in found.story]
    signatures = [f"statements/{number:04}-{kind}.asics" for number, kind in enumerate(statements, 1)]
    assert [what for what, *_ in told] == ["META-INF/ASiCManifest.xml", "tokens/3.checkpoint", *signatures]
    assert found.steps[9].startswith("level LTA;")


def test_without_roots_of_authorities_their_word_is_not_counted(course: Course) -> None:
    """What was looked at holds; what was not is said."""
    found = course.look(course.package(stamped=True), authorities=[])
    assert found.refused == ""
    assert "--tsa-root" in found.unchecked


@pytest.mark.parametrize(("word", "left_out"), [("all", 5), ("card", 3), ("2", 1)])
def test_contents_may_be_left_out_and_all_else_holds(course: Course, word: str, left_out: int) -> None:
    """Rule 1.5: neither bytes nor salt are there, and nothing else needs them."""
    found = course.look(course.package(word))
    assert found.refused == ""
    assert f"{left_out} are left out" in found.steps[7]


def test_a_refusal_is_proven_too(course: Course) -> None:
    """Nobody can withhold it."""
    found = course.look(course.files(course.refused))
    assert found.refused == ""
    assert found.story[0].endswith("alpha: letter, rejected to ; refused by the exchange, recipient-unknown")


def test_a_receipt_by_somebody_else_is_told_as_what_it_is(course: Course) -> None:
    """Rule 4.1: only an addressee's receipt to the letter's sender says something of the delivery."""
    (told,) = [line for line in course.look(course.files(course.other)).story if "gamma" in line]
    assert "NO ADDRESSEE'S" in told
