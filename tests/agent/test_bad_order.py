"""Messages of document systems that come in the wrong order, go round in circles, or cannot be read."""

from pathlib import Path

import pytest

from adapters.connectors.folder import FolderConnector
from adapters.formats import FORMATS
from exchange.agent.ports import Format
from tests.adapters.support import DRAFT
from tests.agent.edms import MemoryEdms, given, letter_package, plain_letter, receipt_package
from tests.agent.place import Place, events, until, until_heard, until_settled
from tests.world import NOW


async def test_a_receipt_before_its_letter(place: Place) -> None:
    """Put aside while there is no such letter, and taken like any other once it has arrived."""
    theirs = MemoryEdms()
    receipt = receipt_package("r", event="registered", at=NOW.isoformat(), message_id="m-1", reg_number="7")
    theirs.put(receipt)
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}):
        await until(lambda: "r" in theirs.quarantined)
        assert "receipt-letter-unknown" in theirs.quarantined["r"]
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until(lambda: given(theirs) == ["m-1"])
        theirs.put(receipt)
        await until_heard(alpha, "m-1", 3)
        assert ("beta", "registered", "") in await events(alpha, "m-1")


async def test_letters_that_answer_each_other(place: Place) -> None:
    """A letter that answers itself, and two that answer each other, are letters like others: nothing follows links."""
    ours = MemoryEdms()
    for name, answers in (("m-1", "doc-m-1"), ("m-2", "doc-m-3"), ("m-3", "doc-m-2")):
        ours.put(letter_package(name, message_id=name, to="beta", document_id=f"doc-{name}", in_reply_to=answers))
    async with place.agent("alpha", edms={"alpha": ours}) as alpha:
        await until(lambda: len(ours.archived) == 3)
        await until_settled(alpha)
    assert sorted(place.simulator.message_ids("beta")) == ["m-1", "m-2", "m-3"]
    assert ours.quarantined == {}


class OnDisk(FolderConnector):
    """A real folder with a real format."""

    def __init__(self, root: Path, fmt: Format) -> None:
        """Packages of `fmt` in the folders below `root`."""
        super().__init__(root)
        self.format = fmt


@pytest.mark.parametrize("name", FORMATS)
async def test_quarantine_keeps_what_could_not_be_read(name: str, place: Place, tmp_path: Path) -> None:
    """Byte for byte, the document and the files beside, with the reason."""
    written = FORMATS[name].write(DRAFT, NOW, place.world.directory, "kat")
    broken = {file: b"\xff\xfe" + data[: len(data) // 2] for file, data in written.files.items()}
    package = tmp_path / "edms" / "out" / "kat"
    package.mkdir(parents=True)
    for file, data in broken.items():
        (package / file).write_bytes(data)
    kept = tmp_path / "edms" / "quarantine" / "kat"
    async with place.agent("alpha", edms={"alpha": OnDisk(tmp_path / "edms", FORMATS[name])}):
        await until((kept / "kat").exists)
    assert {file.name: file.read_bytes() for file in (kept / "kat").iterdir()} == broken
    assert "(document-" in (kept / "problem.txt").read_text(encoding="utf-8")
