"""Evidence out of an archive's folder: the same as the journal has it, under a checkpoint that stays one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from exchange.archive.addresses import ArchiveAddress
from exchange.archive.contents import Authority, Contents
from exchange.archive.errors import ArchiveError
from exchange.domain.event import Event
from exchange.embedded.time_authority import TimeAuthority
from exchange.security.timestamps import Authorities
from exchange.security.timestamps.record import EvidenceRecord
from exchange.services.archive.serving import log_app
from exchange.services.evidence.archived import EvidenceArchive
from exchange.services.evidence.gathering import EvidenceBroken, gather
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import Note
from exchange.tlog.policy import parse_log_policy
from tests.journal.synthetic import SyntheticJournal
from tests.requirements import requires_tool
from tests.services.archive.served import served
from tests.services.evidence.conftest import Course
from tests.services.evidence.filed import Filed
from tests.world import World


def test_a_folder_gives_what_the_journal_has(course: Course, tmp_path: Path) -> None:
    """Entries in their order, contents, proofs that hold under the log's policy."""
    filed = Filed(course.archive.journal, tmp_path / "archive")
    filed.take()
    expected = course.gathered()
    with EvidenceArchive(filed.folder) as archive:
        found = gather(archive, course.letter.digest, course.world.published, parse_log_policy(filed.policy))
    assert [each.entry for each in found.said] == [each.entry for each in expected.said]
    assert found.contents == expected.contents
    assert found.stamps == ()


def test_what_was_deleted_is_not_there_and_stays_proven(course: Course, tmp_path: Path) -> None:
    """Nothing else changes."""
    filed = Filed(course.archive.journal, tmp_path / "archive")
    filed.take()
    commitment = next(iter(course.gathered().contents))
    Contents(filed.folder).delete(commitment, Authority(0, 0))
    with EvidenceArchive(filed.folder) as archive:
        found = gather(archive, course.letter.digest, course.world.published, parse_log_policy(filed.policy))
    assert commitment not in found.contents
    assert len(found.contents) == len(course.gathered().contents) - 1


def test_an_address_that_names_another_letter(course: Course, tmp_path: Path) -> None:
    """Its entry is in the log, and says nothing about the one that was asked for."""
    filed = Filed(course.archive.journal, tmp_path / "archive")
    filed.take()
    honest = log_app(filed.folder, with_entries=True)

    async def lying(scope: Scope, receive: Receive, send: Send) -> None:
        """One letter's places for all."""
        path = f"/letters/{course.refused.digest.hex()}" if scope["path"].startswith("/letters/") else scope["path"]
        await honest({**scope, "path": path}, receive, send)

    with served(lying) as url, EvidenceArchive(ArchiveAddress(url)) as archive:
        assert not archive.gives_contents
        with pytest.raises(EvidenceBroken):
            gather(archive, course.letter.digest, course.world.published, parse_log_policy(filed.policy))
        found = gather(archive, course.refused.digest, course.world.published, parse_log_policy(filed.policy))
        assert len(found.said) == 1


def test_an_archive_without_a_checkpoint_is_told(tmp_path: Path) -> None:
    """Nothing was signed yet, or it is no archive."""
    with pytest.raises(ArchiveError), EvidenceArchive(tmp_path / "nothing"):
        pass


@requires_tool("openssl", debian="openssl")
def test_entries_are_proven_under_the_oldest_time_stamp_over_all_of_them(tmp_path: Path) -> None:
    """Later checkpoints say less about when; one that is not over all says too little."""
    journal = SyntheticJournal(World(tmp_path / "world"))
    filed = Filed(journal, tmp_path / "archive")
    authority = TimeAuthority.prepared(tmp_path / "authority", datetime.now(UTC))
    letter = journal.letter("alpha", "beta")
    filed.take(authority)
    journal.receipt("beta", letter, "alpha", Event.DELIVERED)
    stamped = filed.take(authority)
    for _ in range(300):
        journal.tick()
    filed.take(authority)
    with EvidenceArchive(filed.folder) as archive:
        found = gather(archive, letter.digest, journal.world.published, parse_log_policy(filed.policy))
    assert [stamp.record for stamp in found.stamps] == [b""]
    filed.renew(authority)
    with EvidenceArchive(filed.folder) as archive:
        found = gather(archive, letter.digest, journal.world.published, parse_log_policy(filed.policy))
    (stamp,) = found.stamps
    record, trusted = EvidenceRecord.read(stamp.record), Authorities.load(authority.root)
    assert len(record.verify([stamp.checkpoint, stamp.response], trusted, datetime.now(UTC)).stamps) == 1
    assert len(found.said) == 2
    assert [stamp.size for stamp in found.stamps] == [stamped]
    for said in found.said:
        assert Checkpoint.parse(Note.parse(said.proof.checkpoint).text).size == stamped
        assert said.proof.checkpoint == found.stamps[0].checkpoint
