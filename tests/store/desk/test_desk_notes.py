"""Notes, saved views and requests for a second person's word as they are kept: on SQLite, and on PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from exchange.store.desk import approvals, notes, saved
from exchange.store.desk.approvals import Approval, Verdict
from exchange.store.desk.database import DeskStore
from exchange.store.desk.notes import Note, group_name
from exchange.store.desk.saved import VIEWS_AT_MOST, SavedView

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
NOTE = Note(group_name("connector-failed", "alpha", "beta"), "asel", "their disk is full", "asel", NOW)
VIEW = SavedView("asel", "mine", "/letters", "?to=beta", NOW)
ASKED = Approval("a1", "enrol", "beta", "{}", "asel", "the list of March", NOW)


def test_groups_have_names_of_their_own() -> None:
    """Whatever a reason or a body's code says."""
    assert group_name("a&to=b", "x", "y") != group_name("a", "x", "b")
    assert len({group_name(*parts) for parts in (("a", "b", "c"), ("a", "c", "b"), ("b", "a", "c"))}) == 3


def test_a_note_is_written_over_the_one_that_was_seen(desk: DeskStore) -> None:
    """Whoever did not see the last one changes nothing."""
    with desk.writing() as connection:
        assert notes.write(connection, NOTE, None)
        assert not notes.write(connection, NOTE, None), "somebody wrote the first one meanwhile"
        changed = replace(NOTE, text="mended", person="bek", changed=LATER)
        assert notes.write(connection, changed, NOW)
        assert not notes.write(connection, NOTE, NOW), "somebody wrote since"
    with desk.reading() as connection:
        assert notes.of_groups(connection, [NOTE.failure, "another"]) == {NOTE.failure: changed}
        assert notes.of_groups(connection, []) == {}


def test_views_are_a_persons_own(desk: DeskStore) -> None:
    """Kept by name, replaced, listed and dropped, each by its owner alone."""
    other = replace(VIEW, login="bek")
    with desk.writing() as connection:
        assert saved.save(connection, replace(VIEW, query="?to=gamma"))
        assert all(saved.save(connection, each) for each in (VIEW, other, replace(VIEW, name="all")))
    with desk.reading() as connection:
        assert [view.name for view in saved.listed(connection, "asel", "/letters")] == ["all", "mine"]
        assert saved.listed(connection, "asel", "/letters")[1] == VIEW
        assert saved.listed(connection, "asel", "/failures") == ()
    with desk.writing() as connection:
        assert saved.delete(connection, "asel", "mine")
        assert not saved.delete(connection, "asel", "mine")
        assert saved.listed(connection, "bek", "/letters") == (other,)


def test_views_are_bounded(desk: DeskStore) -> None:
    """One more is not kept; one that is there may be changed all the same."""
    with desk.writing() as connection:
        for number in range(VIEWS_AT_MOST):
            assert saved.save(connection, replace(VIEW, name=f"v{number}"))
        assert not saved.save(connection, VIEW)
        assert saved.save(connection, replace(VIEW, name="v0", query="?to=gamma"))
        assert saved.save(connection, replace(VIEW, login="bek"))


def test_a_second_person_answers_once(desk: DeskStore) -> None:
    """Never the one who asked; the first answer holds."""
    with desk.writing() as connection:
        assert approvals.ask(connection, ASKED)
        assert not approvals.ask(connection, ASKED)
        assert not approvals.decide(connection, "a1", "asel", Verdict.APPROVED, "", LATER)
        assert approvals.find(connection, "a1") == ASKED
        assert approvals.decide(connection, "a1", "bek", Verdict.DECLINED, "who are they?", LATER)
        assert not approvals.decide(connection, "a1", "cholpon", Verdict.APPROVED, "", LATER)
    with desk.reading() as connection:
        found = approvals.find(connection, "a1")
        assert found == replace(ASKED, second="bek", verdict=Verdict.DECLINED, remark="who are they?", decided=LATER)
        assert approvals.find(connection, "a2") is None


def test_requests_are_listed_by_their_answer(desk: DeskStore) -> None:
    """The last first; the last one about a thing stands for it."""
    with desk.writing() as connection:
        approvals.ask(connection, ASKED)
        approvals.ask(connection, replace(ASKED, id="a2", asked=LATER))
        approvals.ask(connection, replace(ASKED, id="a3", about="gamma"))
        approvals.ask(connection, replace(ASKED, id="a4", action="another"))
        approvals.decide(connection, "a1", "bek", Verdict.DECLINED, "no", LATER)
    with desk.reading() as connection:
        is_open = [one.id for one in approvals.listed(connection, "enrol", [Verdict.OPEN], 10)]
        answered = [one.id for one in approvals.listed(connection, "enrol", [Verdict.APPROVED, Verdict.DECLINED], 10)]
        assert (is_open, answered) == (["a2", "a3"], ["a1"])
        assert [one.id for one in approvals.listed(connection, "enrol", [Verdict.OPEN], 1)] == ["a2"]
        last = approvals.latest(connection, "enrol", "beta")
        assert (last and last.id) == "a2"
        assert approvals.latest(connection, "enrol", "delta") is None
