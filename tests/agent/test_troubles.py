"""Troubles that the router tells an agent, and what the agent's people see of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from exchange.agent.agent import Agent
from exchange.domain.directory import CertificateUse, ListedCertificate
from exchange.domain.reason import Reason
from exchange.security.cades import Signer
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.errors import KeyRefused, SignatureRefused
from exchange.security.form import parse
from exchange.security.keys import load_key_pair
from exchange.security.trust import Trust
from exchange.security.validity import Validity
from tests.agent.edms import MemoryEdms, given, plain_letter
from tests.agent.place import Place, until, until_settled
from tests.patience import PATIENCE
from tests.world import NOW


class ExpiredTrust:
    """Trust of a time at which alpha's certificate has expired."""

    def __init__(self, trust: Trust) -> None:
        """All other bodies are as they were."""
        self._trust = trust

    def verify_statement(self, statement: bytes, signature: bytes, at: datetime) -> str:
        """See `Trust`."""
        body = self._trust.verify_statement(statement, signature, at)
        if body == "alpha":
            raise SignatureRefused(Reason.CERTIFICATE_EXPIRED, body=body)
        return body


class RenewedTrust(ExpiredTrust):
    """Trust of a directory that lists another certificate of alpha's besides."""

    def __init__(self, trust: Trust, renewed: Signer) -> None:
        """`renewed` signs with the other certificate's key."""
        super().__init__(trust)
        self._renewed = renewed

    def verify_statement(self, statement: bytes, signature: bytes, at: datetime) -> str:
        """See `Trust`."""
        if parse(signature).signer == self._renewed.signer:
            return "alpha"
        return super().verify_statement(statement, signature, at)


class KeysBeingReplaced(dict[str, Signer]):
    """Key and certificate do not fit until both are replaced."""

    def __init__(self, key: Signer) -> None:
        """`key` is the new one."""
        super().__init__()
        self._key = key
        self.asked = 0
        self.replaced = False

    def __getitem__(self, body: str) -> Signer:
        """The new key, once it is whole."""
        self.asked += 1
        if not self.replaced:
            message = "not a pair"
            raise KeyRefused(message, code="key-certificate-mismatch")
        return self._key


@contextmanager
def expired(place: Place) -> Iterator[None]:
    """While it lasts the router finds alpha's certificate expired."""
    ground = place.world.ground
    place.simulator.stand_on(replace(ground, trust=ExpiredTrust(Trust(place.world.directory))))
    yield
    place.simulator.stand_on(ground)


async def until_waiting(agent: Agent, code: str) -> None:
    """Wait until the agent says what it waits for."""
    async with asyncio.timeout(PATIENCE):
        while code not in (await agent.status())[0].waits_for:  # noqa: ASYNC110 - other tasks make it so
            await asyncio.sleep(0.01)


async def test_an_expired_certificate_holds_letters_back(place: Place) -> None:
    """The same statements are signed and sent again until the directory lists a valid key (rule 2.4)."""
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        with expired(place):
            await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"), plain_letter("m-2", "beta"))
            await until_waiting(agent, "certificate-expired")
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == ["m-1", "m-2"]
    assert len({notice.origin for notice in place.simulator.notices}) == 1


async def test_a_key_replaced_after_the_exchange_has_told(place: Place) -> None:
    """It tells once that a certificate has expired: an agent that begins with the next one signs again unasked."""
    with expired(place):
        async with place.agent("alpha") as agent:
            await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
            await until_waiting(agent, "certificate-expired")
    files = place.world.authority.body("alpha", validity=Validity(NOW - timedelta(days=1), NOW + timedelta(days=9)))
    pair = load_key_pair(files.statement)
    place.world.signers["alpha"] = Signer(pair.certificate, pair.key)
    directory = place.world.directory
    listed = ListedCertificate(pair.certificate.public_bytes(Encoding.DER), CertificateUse.STATEMENT)
    alpha = replace(directory.bodies["alpha"], certificates=(listed,))
    directory = replace(directory, bodies={**directory.bodies, "alpha": alpha})
    trust = Trust(directory)
    place.simulator.stand_on(replace(place.world.ground, directory=directory, trust=trust))
    async with place.agent("alpha") as agent:
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == ["m-1"]


async def test_a_new_key_is_used_once_it_lies_in_place(place: Place) -> None:
    """Without a new start, and whatever lies there while the two files of the pair are replaced."""
    pair = load_key_pair(place.world.authority.body("delta").statement)
    renewed = Signer(pair.certificate, pair.key)
    trust = RenewedTrust(Trust(place.world.directory), renewed)
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        place.simulator.stand_on(replace(place.world.ground, trust=trust))
        place.world.signers = keys = KeysBeingReplaced(renewed)
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"), plain_letter("m-2", "beta"))
        await until(lambda: keys.asked > 1)
        await until_waiting(agent, "certificate-expired")
        keys.replaced = True
        await until(lambda: place.simulator.message_ids("beta") == ["m-1", "m-2"])
        await agent.mailbox("alpha").submit(plain_letter("m-3", "beta"))
        await until_settled(agent)
    assert place.simulator.message_ids("beta") == ["m-1", "m-2", "m-3"]


async def test_repeats_by_others_do_not_keep_an_agent_silent(place: Place) -> None:
    """Who received our letter may submit it again for ever: we still ask about what was lost."""
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_settled(agent)
        old = place.simulator.signed(place.simulator.entries[-1])
        place.simulator.drop = True
        await agent.mailbox("alpha").submit(plain_letter("m-2", "beta"))
        await asyncio.sleep(0.1)
        place.simulator.drop = False
        async with asyncio.timeout(PATIENCE):
            while place.simulator.message_ids("beta") != ["m-1", "m-2"]:
                place.simulator.say(old, "alpha")
                await asyncio.sleep(0.05)


async def test_a_body_with_too_many_origins_waits_for_a_person(place: Place) -> None:
    """Eight origins nobody closed: nothing is sent, nothing is lost, and the status says why (rule 2.2)."""
    for _ in range(8):
        place.simulator.say(place.world.speaker("alpha").open(), "alpha")
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_waiting(agent, "origins-exhausted")
        submitted = place.simulator.submitted
        await asyncio.sleep(0.8)
        (status,) = await agent.status()
        assert status.halted
        assert status.drafts == 1
        assert place.simulator.submitted == submitted


async def test_a_decision_by_a_directory_that_is_not_here_yet(place: Place) -> None:
    """The letter waits in the inbox, unread, until the agent's copy of the directory has that version."""
    theirs = MemoryEdms()
    keys = place.world.authority.directory.publishing()
    ground = place.world.ground
    folder = place.directory.folder
    latest, timestamp = place.directory.latest(), (folder / TIMESTAMP).read_bytes()
    later = successor(latest, {**latest.bodies, "alpha": replace(latest.bodies["alpha"], kind="agency")}, NOW)
    published = DirectoryPublisher(DirectoryFolder(folder, place.world.root)).publish(later, keys, NOW)
    hidden = folder / "2.snapshot.json"
    snapshot = hidden.read_bytes()
    hidden.unlink()
    (folder / TIMESTAMP).write_bytes(timestamp)
    place.simulator.stand_on(replace(ground, directory=published))
    async with place.agent("alpha") as alpha, place.agent("beta", edms={"beta": theirs}) as beta:
        await alpha.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_waiting(beta, "directory-missing")
        assert given(theirs) == []
        hidden.write_bytes(snapshot)
        await until(lambda: given(theirs) == ["m-1"])
        await until_settled(beta)


async def test_a_certificate_that_nobody_knows_is_told(place: Place) -> None:
    """The exchange drops what it signed and is silent; the agent finds out why from the directory."""
    pair = load_key_pair(place.world.authority.body("delta").statement)
    known = place.world.signers["alpha"]
    place.world.signers["alpha"] = Signer(pair.certificate, pair.key)
    async with place.agent("alpha") as agent:
        await agent.mailbox("alpha").submit(plain_letter("m-1", "beta"))
        await until_waiting(agent, "signer-unknown")
        place.world.signers["alpha"] = known
        await until(lambda: place.simulator.message_ids("beta") == ["m-1"])
        await until_settled(agent)
