"""The directory as a value."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from exchange.domain.directory import MOVES, Body, BodyStatus, Directory, Names
from exchange.domain.ids import ZERO_DIGEST


def body(code: str, *uids: str) -> Body:
    """A connected body."""
    return Body(code, Names(code, code, code), "ministry", BodyStatus.CONNECTED, uids)


def test_who_may_send_and_be_written_to() -> None:
    """From the first try-out until it is suspended or leaves."""
    statuses = {status for status in BodyStatus if replace(body("mfa"), status=status).reachable}
    assert statuses == {BodyStatus.TESTING, BodyStatus.CONNECTED}


def test_bodies_are_found_by_the_ids_of_their_document_systems() -> None:
    """Every identifier leads to its body; a body without one is not found by any."""
    bodies = {"mfa": body("mfa", "uid-1", "uid-2"), "minjust": body("minjust", "uid-3"), "natstat": body("natstat")}
    issued = datetime(2022, 1, 1, tzinfo=UTC)
    directory = Directory(
        bytes(32), 1, bytes(32), ZERO_DIGEST, issued, lanes=4, journal_partitions=4, issuers=(), bodies=bodies
    )
    assert directory.by_uid() == {"uid-1": "mfa", "uid-2": "mfa", "uid-3": "minjust"}


def test_a_body_moves_by_the_table() -> None:
    """Every status has its followers; who left stays away, and everybody may leave."""
    assert set(MOVES) == set(BodyStatus)
    assert all(BodyStatus.LEFT in MOVES[status] for status in BodyStatus if status is not BodyStatus.LEFT)
    assert MOVES[BodyStatus.LEFT] == frozenset()
    way = [BodyStatus.PLANNED, BodyStatus.REQUESTED, BodyStatus.APPROVED, BodyStatus.TESTING, BodyStatus.CONNECTED]
    assert all(later in MOVES[status] for status, later in pairwise(way))
    assert BodyStatus.CONNECTED not in MOVES[BodyStatus.APPROVED], "it is tried out first"
