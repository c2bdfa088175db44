"""The client beside an agent in memory; what it does over real Kafka stands in tests/demo."""

import dataclasses
from pathlib import Path

from exchange.client import Client, SignatureStatus
from exchange.domain.card import DocumentSignature, FileInfo, FileRole, Person
from exchange.domain.ids import digest
from exchange.security.documents import Anchors
from exchange.security.keys import KeyFiles
from exchange.settings.bodies import BodySettings
from exchange.wiring.agent import Desk
from tests.agent.conftest import authority_folder, place
from tests.agent.edms import plain_letter
from tests.agent.place import Place, until_settled

__all__ = ["authority_folder", "place"]  # fixtures

SAMPLES = Path(__file__).parent / "security" / "documents" / "samples"


async def test_the_signatures_of_a_letter_that_arrived(place: Place) -> None:
    """They crossed untouched, and are looked at with whom this body trusts."""
    contents = ((SAMPLES / "letter.txt").read_bytes(), (SAMPLES / "ecdsa.p7s").read_bytes())
    roles = (("letter.txt", FileRole.MAIN), ("letter.p7s", FileRole.DATA))
    files = tuple(
        FileInfo(name, name, "application/octet-stream", len(data), digest(data), role)
        for (name, role), data in zip(roles, contents, strict=True)
    )
    draft = plain_letter("m-1", "beta", signatures=(DocumentSignature("letter.txt", "letter.p7s", Person()),))
    draft = dataclasses.replace(draft, card=dataclasses.replace(draft.card, files=files), files=contents)
    settings = BodySettings("beta", KeyFiles(Path(), Path()), None)
    async with place.agent("alpha") as alpha, place.agent("beta") as beta:
        desk = Desk(beta._office, place.simulator.transport)
        client = Client(settings, desk, beta.mailbox("beta"), Anchors.load(SAMPLES / "anchors.pem"))
        await alpha.mailbox("alpha").submit(draft)
        await until_settled(alpha)
        received = await anext(client.letters())
        assert received.arrived.files == contents
        (report,) = await client.signatures(received)
    assert (report.status, report.file, report.signer) == (SignatureStatus.VALID, "letter.txt", "Асанов А. Б.")
