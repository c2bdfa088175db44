"""Proving a letter's entries: whoever says where they are may be wrong."""

from pathlib import Path

import pytest

from exchange.archive.errors import ArchiveError
from exchange.services.audit.prove import NotInLogError, Spot, prove
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal
from tests.world import World


def test_an_index_that_lies(tmp_path: Path) -> None:
    """Another letter's entry, none at all, one that is not there yet: nothing is written."""
    journal = SyntheticJournal(World(tmp_path / "world"))
    letter, other = journal.letter("alpha", "beta"), journal.letter("beta", "alpha", message_id="other")
    archived = Archived(tmp_path / "archive", journal)
    archived.archive()
    spots = [Spot(place.partition, place.index) for place in archived.places(other.digest)]
    for said, code in (
        (spots, "archive-answer-invalid"),
        ([Spot(9, 0)], "entry-missing"),
        ([Spot(0, 999)], "entry-missing"),
    ):
        with pytest.raises(ArchiveError) as caught:
            prove(archived.reader, letter.digest, said, archived.keys.policy, tmp_path / "proofs")
        assert caught.value.code == code
    with pytest.raises(NotInLogError):
        prove(archived.reader, letter.digest, [], archived.keys.policy, tmp_path / "proofs")
    assert not list((tmp_path).glob("proofs/*"))
