"""Which deliveries a task gets, in which order, and how many of them are repeats."""

import pytest

from exchange.domain.delivery import State
from exchange.domain.event import Event
from exchange.domain.task import Plan, Stage, TaskRefused
from exchange.services.tasks import choosing
from exchange.services.tasks.choosing import Chosen, choose
from exchange.store.lists import DeliveryFilter
from tests.services.tasks.place import Place

ANY = DeliveryFilter()


def chosen(place: Place, wanted: DeliveryFilter | list[Chosen], sample: int = 3) -> choosing.Choice:
    """What a filter or a list of letters comes to."""
    place.catch_up()
    with place.tracker.reading() as connection:
        return choose(connection, wanted, sample)


def test_the_filter_of_the_lists_chooses(place: Place) -> None:
    """The same deliveries that the list shows, no more."""
    failed = place.letters(3)
    place.letters(2, event=None)
    found = chosen(place, DeliveryFilter(recipient="beta", states=(State.HAND_OVER_FAILED,)))
    assert {delivery.letter for delivery in found.deliveries} == {letter.digest for letter in failed}
    assert (found.repeats, found.left_out) == (0, 0)


def test_what_was_handed_over_before_is_a_repeat(place: Place) -> None:
    """The recipient's document system sees these once more: the risk that the preview names."""
    place.letters(2)
    place.letters(3, Event.HANDED_OVER)
    assert chosen(place, ANY).repeats == 3


def test_letters_that_the_exchange_refused_are_left_out(place: Place) -> None:
    """They lie in no inbox; their sender has been told why."""
    place.letters(1)
    place.journal.letter("alpha", "nobody", message_id="lost")
    assert (len(chosen(place, ANY).deliveries), chosen(place, ANY).left_out) == (1, 1)
    with pytest.raises(TaskRefused, match="1 were refused by the exchange") as refused:
        chosen(place, DeliveryFilter(states=(State.REJECTED,)))
    assert refused.value.code == "task-empty"


def test_the_sample_is_taken_from_every_route(place: Place) -> None:
    """Of many letters to one body and one to another both come first."""
    place.letters(5)
    place.journal.letter("alpha", "gamma", message_id="other")
    found = chosen(place, ANY, sample=2)
    assert {delivery.recipient for delivery in found.deliveries[:2]} == {"beta", "gamma"}
    items = found.items("t", Plan(sample=2, share=50))
    assert [item.number for item in items] == [*range(6)]
    assert [item.stage for item in items] == [Stage.SAMPLE] * 2 + [Stage.SHARE] * 3 + [Stage.REST]
    assert [item.place for item in items[2:]] == sorted(item.place for item in items[2:])


def test_letters_are_named_one_by_one(place: Place) -> None:
    """With a recipient or with all of them; one that nobody knows is named in the error."""
    letter = place.journal.letter("alpha", "beta", "gamma", message_id="both")
    assert len(chosen(place, [Chosen(letter.digest)]).deliveries) == 2
    (only,) = chosen(place, [Chosen(letter.digest, "gamma")] * 2).deliveries
    assert only.recipient == "gamma"
    for wrong in (Chosen(letter.digest, "alpha"), Chosen(bytes(32)), Chosen(b"short")):
        with pytest.raises(TaskRefused, match=wrong.letter.hex()):
            chosen(place, [wrong])
    with pytest.raises(TaskRefused, match="^letters: more than 1000"):
        chosen(place, [Chosen(letter.digest, str(number)) for number in range(1001)])


def test_too_many_are_several_tasks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are followed so far and no further."""
    monkeypatch.setattr(choosing, "ITEMS_AT_MOST", 4)
    monkeypatch.setattr(choosing, "_PAGE", 2)
    place.letters(4)
    assert len(chosen(place, ANY).deliveries) == 4
    place.letters(1)
    with pytest.raises(TaskRefused) as refused:
        chosen(place, ANY)
    assert refused.value.code == "task-too-large"
