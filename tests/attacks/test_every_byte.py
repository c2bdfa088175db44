"""Any byte of the log, of any file of it: the auditor names the file, and the entry where it is of an entry."""

from collections.abc import Iterator
from pathlib import Path

from exchange.services.audit.findings import TreeCode
from exchange.tlog.tiles import tiles_of
from tests.attacks.operator import flip
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal

NAMING = {TreeCode.ENTRY_ALTERED, TreeCode.FILE_UNREADABLE}
STEP = 499
"""A prime, so that all kinds of bytes are met."""


def files_of(archived: Archived) -> Iterator[Path]:
    """Those that the newest checkpoint is over; partial tiles of earlier ones may lie beside them."""
    logs = ("heads", *(f"journal/{partition}" for partition in range(archived.journal.world.journal_partitions)))
    yield archived.folder / "log" / "heads" / "checkpoint"
    for log in logs:
        for tile in tiles_of(archived.reader.size(log)):
            yield archived.folder / "log" / log / tile.path


def test_any_byte_of_any_file(journal: SyntheticJournal, tmp_path: Path) -> None:
    """Altered and put back, one after the other, all through the archive's logs."""
    archived = Archived(tmp_path / "archive", journal)
    archived.archive()
    places = [(path, at) for path in files_of(archived) for at in range(7, path.stat().st_size, STEP)]
    assert len(places) > 30
    for path, at in places:
        flip(path, at)
        report = archived.verified()
        flip(path, at)
        if path.name == "checkpoint":
            assert not report.sound
            continue
        named = [wrong for wrong in report.findings if wrong.code in NAMING]
        file = str(path.relative_to(archived.folder))
        assert any(wrong.file == file or file in wrong.detail for wrong in named), (file, at)
        if "entries" not in path.parts and len(named) == 1:
            assert {TreeCode.ROOT_DIFFERS, TreeCode.CHECKPOINT_ROOT} & set(report.found), (file, at)
    assert archived.verified().sound


def test_the_checkpoint_goes(journal: SyntheticJournal, tmp_path: Path) -> None:
    """Without it nothing can be said, and that is said."""
    archived = Archived(tmp_path / "archive", journal)
    archived.archive()
    (archived.folder / "log" / "heads" / "checkpoint").unlink()
    assert set(archived.verified().found) == {TreeCode.CHECKPOINT_REFUSED}
