"""Revocation lists in a router: part of what it decides by, journalled before a decision names them."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exchange.domain.decision import Basis, Journalled, Place
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import ZERO_DIGEST, digest, lane_of
from exchange.domain.policy import parse_policy
from exchange.journal.examine import Standing, examine
from exchange.journal.findings import FindingCode
from exchange.journal.grounds import Grounds
from exchange.resources import resource
from exchange.security.crl_folder import CrlFolder
from exchange.security.keys import KeyFiles, KeyPair, load_key_pair
from exchange.services.router.ground import LOOK_SECONDS, FootingFiles
from exchange.services.router.metrics import CrlMetrics
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal
from tests.security.lists import revocation_list
from tests.world import NOW, World

POLICY = resource("config", "policy.toml").read_bytes()
DAY = timedelta(days=1)


class Office:
    """A router's files, and a journal that is written by what it reads there."""

    def __init__(self, folder: Path) -> None:
        """Nobody is revoked."""
        self.folder, self._archives = folder, count()
        self.world = World(folder)
        self.journal = SyntheticJournal(self.world)
        self.policy, self.lists = folder / "policy.toml", folder / "crl"
        self.policy.write_bytes(POLICY)
        self.lists.mkdir()
        ca = self.world.authority.statement_root
        self.issuer = load_key_pair(KeyFiles(ca.with_name("statement.key.pem"), ca))
        self.now, self.seconds = NOW, 0.0
        self.crls = CrlFolder(self.lists, lambda: self.now)
        self.footings = FootingFiles(
            self.world.published, self.policy, lambda: self.now, lambda: self.seconds, self.crls
        )

    def revoke(self, number: int, *bodies: str, since: datetime = NOW, next_update: datetime = NOW + DAY) -> bytes:
        """The issuer's next list lies there."""
        serials = {self.world.signers[body].certificate.serial_number: since for body in bodies}
        begins = NOW - DAY + timedelta(seconds=number)
        data = revocation_list(self.issuer, serials, number=number, this_update=begins, next_update=next_update)
        (self.lists / "issuer.crl").write_bytes(data)
        return data

    def stand(self) -> None:
        """Each lane journals what the router decides by now."""
        self.seconds += LOOK_SECONDS
        footing = self.footings.current()
        for ledger in self.journal.ledgers.values():
            before = ledger.known
            if ledger.stand_on(footing.ground):
                for part in footing.parts(*before):
                    entry = ledger.basis(self.journal.now)
                    self.journal.write(footing.ground.directory.digest, Journalled(entry, part))

    def found(self) -> set[str]:
        """What a replay of the journal finds, and a verification of the log too."""
        replayed = set(self.journal.replayed()[0].found)
        archived = Archived(self.folder / f"archive-{next(self._archives)}", self.journal)
        archived.archive()
        assert set(archived.verified().found) == replayed
        return replayed


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Three bodies of one issuer."""
    return Office(tmp_path)


def test_a_list_is_part_of_the_policy_in_force(office: Office) -> None:
    """Without lists the policy is its file; with one its digest is another, the same for the same lists."""
    assert office.footings.current().ground.policy.digest == digest(POLICY)
    data = office.revoke(1)
    office.seconds += LOOK_SECONDS
    footing = office.footings.current()
    assert footing.ground.policy.digest != digest(POLICY)
    assert footing.ground.policy.revocation.crls == ((digest(data),),)
    office.seconds += LOOK_SECONDS
    assert office.footings.current() is footing
    again = FootingFiles(office.world.published, office.policy, lambda: NOW, lambda: 0.0, office.crls)
    assert again.current().ground.policy == footing.ground.policy


def test_only_the_router_writes_lists_into_a_policy(office: Office) -> None:
    """Whoever copies a policy in force out of the journal is told."""
    office.policy.write_bytes(POLICY + b'\n[crls]\nparts = [["%s"]]\n' % (b"00" * 32))
    with pytest.raises(ConfigurationError, match=r"\[crls\]"):
        office.footings.current()


def test_revoked_between_two_letters(office: Office) -> None:
    """The first stays valid, the second is held and its body told; the journal alone proves both."""
    office.stand()
    office.journal.letter("alpha", "beta")
    office.revoke(1, "alpha", since=office.journal.now)
    office.stand()
    second = office.journal.speaker("alpha").letter("beta", message_id="m-2")
    ledger = office.journal.ledgers[lane_of("alpha", office.world.lanes)]
    held = examine(office.world.submission(second), ledger.ground, office.journal.now + DAY)
    assert held.standing is Standing.HELD
    assert held.refusal is not None
    assert held.refusal.reason == "certificate-revoked"
    office.journal.letter("beta", "gamma", message_id="m-3")
    assert office.found() == set()


def test_replay_finds_a_router_that_passed_over_a_list(office: Office) -> None:
    """It stands on a list, and takes what the list forbids."""
    office.stand()
    office.journal.letter("alpha", "beta")
    office.revoke(1, "alpha", since=office.journal.now)
    office.stand()
    ledger = office.journal.ledgers[lane_of("alpha", office.world.lanes)]
    ledger.ground = replace(ledger.ground, trust=office.world.ground.trust)
    office.journal.letter("alpha", "beta", message_id="m-2")
    assert office.found() == {FindingCode.NOT_TAKABLE}


def test_replay_finds_a_lane_that_went_back(office: Office) -> None:
    """A router started anew over a folder from a backup knows no better; the journal does."""
    first = office.revoke(1)
    office.stand()
    office.revoke(2, "alpha")
    office.stand()
    assert office.found() == set()
    (office.lists / "issuer.crl").write_bytes(first)
    office.crls = CrlFolder(office.lists, lambda: NOW)
    office.footings = FootingFiles(office.world.published, office.policy, lambda: NOW, lambda: 9.0, office.crls)
    office.stand()
    assert office.found() == {FindingCode.BASIS_ROLLED_BACK}


def test_a_list_is_journalled_once_in_a_lane(office: Office) -> None:
    """Beside a policy that is new; not again with each version of the directory."""
    data = office.revoke(1)
    first = office.footings.current()
    journalled = [content.data for part in first.parts(ZERO_DIGEST, ZERO_DIGEST) for content in part]
    assert data in journalled
    office.world.change(replace(office.world.directory.bodies["beta"], kind="agency"))
    office.seconds += LOOK_SECONDS
    second = office.footings.current()
    known = first.ground.directory.digest, first.ground.policy.digest
    assert data not in [content.data for part in second.parts(*known) for content in part]
    of_first = office.footings.of(first.ground.directory.digest)
    assert of_first.ground.policy == first.ground.policy


def test_a_ground_is_proven_when_its_lists_are_there(office: Office) -> None:
    """In each lane; by a list of nobody, or one of the future, it is proven never."""
    data = office.revoke(1)
    footing = office.footings.current()
    directory, policy = footing.ground.directory, footing.ground.policy
    basis = Basis(Place(0, 1, ZERO_DIGEST), NOW, directory.version, directory.digest, policy.digest)
    contents = [content for part in footing.parts(ZERO_DIGEST, ZERO_DIGEST) for content in part]
    grounds = Grounds(office.world.root)
    assert grounds.prove(basis, tuple(each for each in contents if each.data != data)) is None
    proven = grounds.prove(basis, tuple(each for each in contents if each.data == data))
    assert proven is not None
    assert proven.policy == policy
    assert [crl.der for crl in grounds.crls(basis)] == [data]
    early = replace(basis, decided=NOW - 2 * DAY)
    with pytest.raises(ConfigurationError, match="issued after") as caught:
        Grounds(office.world.root).prove(early, tuple(contents))
    assert caught.value.code == "basis-invalid"
    forged = revocation_list(KeyPair(load_key_pair(_transport(office)).key, office.issuer.certificate))
    text = office.footings.current().ground.policy
    assert text.revocation.crls == ((digest(data),),)
    bytes_in_force = next(each.data for each in contents if digest(each.data) == policy.digest)
    altered = bytes_in_force.replace(digest(data).hex().encode(), digest(forged).hex().encode())
    files = [each for each in contents if each.data not in (data, bytes_in_force)]
    files += [replace(contents[0], data=altered), replace(contents[0], data=forged)]
    with pytest.raises(ConfigurationError) as caught:
        Grounds(office.world.root).prove(replace(basis, policy_digest=digest(altered)), tuple(files))
    assert caught.value.code == "crl-signature-invalid"


def _transport(office: Office) -> KeyFiles:
    ca = office.world.authority.transport_root
    return KeyFiles(ca.with_name("transport.key.pem"), ca)


def test_the_policy_decides_about_an_overdue_list(office: Office) -> None:
    """By the shipped policy letters go on; by the strict one they wait; metrics and log tell either way."""
    registry = CollectorRegistry()
    registry.register(CrlMetrics(office.crls))
    issuer = {"issuer": "Exchange statement root"}
    office.revoke(1, next_update=NOW + timedelta(hours=1))
    letter = office.world.submission(office.world.speaker("alpha").open())
    later = NOW + timedelta(hours=2)
    office.footings.current()
    assert registry.get_sample_value("exchange_router_crls_stale") == 0
    assert registry.get_sample_value("exchange_router_crl_next_update_timestamp_seconds", issuer) is not None
    office.now = later
    assert registry.get_sample_value("exchange_router_crls_stale") == 1
    assert examine(letter, office.footings.current().ground, later).standing is Standing.FIT
    office.policy.write_bytes(POLICY.replace(b'"accept"', b'"refuse"'))
    assert parse_policy(office.policy.read_bytes()).revocation.when_stale == "refuse"
    office.seconds += LOOK_SECONDS
    held = examine(letter, office.footings.current().ground, later)
    assert held.standing is Standing.HELD
    assert held.refusal is not None
    assert held.refusal.reason == "revocation-stale"
    (office.lists / "junk").write_bytes(b"junk")
    office.seconds += LOOK_SECONDS
    office.footings.current()
    assert registry.get_sample_value("exchange_router_crls_refused", {"code": "crl-unreadable"}) == 1
