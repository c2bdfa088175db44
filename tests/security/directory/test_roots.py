"""Whose keys count: roots hand over to each other, and too few signatures are none."""

from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from exchange.security.directory.ceremony import Holders, Quorum, make_root
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, PublishingKeys, successor
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import KeyPair, PrivateKey
from tests.security.directory.test_folder import fresh, private_key, refusal
from tests.security.support import DAY, NOW, body, directory


def named(*keys: PrivateKey) -> Quorum:
    """Any two of them."""
    return Quorum({f"holder-{number}": key.public_key() for number, key in enumerate(keys, 1)}, 2)


class Ceremony:
    """Three holders of root keys, two of whom sign; a keeper and a clock."""

    def __init__(self) -> None:
        """Draw the keys."""
        self.holders = [private_key() for _ in range(3)]
        self.keys = PublishingKeys((private_key(), private_key()), private_key())

    def root(self, number: int, *signers: PrivateKey) -> bytes:
        """A root naming these keys, signed by `signers`, or by the first two."""
        holders = Holders(
            named(*self.holders),
            named(*self.keys.keepers),
            self.keys.clock.public_key(),
        )
        data = make_root(holders, number, NOW)
        for key in signers or self.holders[:2]:
            metadata = Metadata[Root].from_bytes(data)
            metadata.sign(CryptoSigner(key), append=True)
            data = metadata.to_bytes()
        return data


def test_roots_follow_one_another(tmp_path: Path, root: KeyPair) -> None:
    """A lost keeper's key is replaced by the holders; what was published before stays readable."""
    old, new = Ceremony(), Ceremony()
    folder = DirectoryFolder(tmp_path, old.root(1))
    publisher = DirectoryPublisher(folder)
    first = publisher.publish(directory(root), old.keys, NOW)
    reader = fresh(folder)
    reader.latest()
    new.holders[0] = old.holders[0]
    publisher.rotate(new.root(2, *old.holders[:2], *new.holders[:2]))
    second = publisher.publish(successor(first, first.bodies, NOW), new.keys, NOW + DAY)
    assert (second.version, second.previous, second.bodies) == (2, first.digest, first.bodies)
    assert reader.latest(first) == second
    third = publisher.publish(successor(second, {}, NOW), new.keys, NOW)
    assert fresh(folder).latest() == third
    assert [fresh(folder).version(number) for number in (1, 2)] == [first, second]


def test_a_keeper_comes_and_another_goes(tmp_path: Path, root: KeyPair) -> None:
    """Any two of the keepers sign; a new root that names others leaves no list with too few of them."""
    old, new = Ceremony(), Ceremony()
    folder = DirectoryFolder(tmp_path, old.root(1))
    publisher = DirectoryPublisher(folder)
    first = publisher.publish(directory(root, body("mfa"), body("minjust")), old.keys, NOW)
    stays, goes = old.keys.keepers
    new.keys = PublishingKeys((stays, new.keys.keepers[0]), old.keys.clock)
    publisher.rotate(new.root(2, *old.holders[:2], *new.holders[:2]))
    second = publisher.publish(successor(first, first.bodies, NOW), new.keys, NOW)
    assert fresh(folder).latest() == second
    assert second.bodies == first.bodies
    with pytest.raises(DirectoryRefused) as caught:
        publisher.publish(successor(second, {}, NOW), PublishingKeys((stays, goes), old.keys.clock), NOW)
    assert caught.value.code == "directory-signature-invalid"
    assert fresh(folder).latest() == second


def test_between_a_new_root_and_its_first_version(tmp_path: Path, root: KeyPair) -> None:
    """Who has a version goes on by it; nobody takes the old clock's word, or the old keeper's."""
    old, new = Ceremony(), Ceremony()
    folder = DirectoryFolder(tmp_path, old.root(1))
    publisher = DirectoryPublisher(folder)
    first = publisher.publish(directory(root), old.keys, NOW)
    (tmp_path / "2.root.json").write_bytes(new.root(2, *old.holders[:2], *new.holders[:2]))
    assert refusal(fresh(folder), first) == "directory-signature-invalid"
    publisher.stamp(new.keys.clock, NOW)
    with pytest.raises(DirectoryRefused, match="under root 1, 2 is in force: publish one") as caught:
        fresh(folder).latest()
    assert caught.value.code == "directory-signature-invalid"


def test_a_root_that_does_not_follow_is_refused(tmp_path: Path, root: KeyPair) -> None:
    """Too few of the old holders, too few of the new ones, or another number."""
    old, new = Ceremony(), Ceremony()
    folder = DirectoryFolder(tmp_path, old.root(1))
    DirectoryPublisher(folder).publish(directory(root), old.keys, NOW)
    for data in (
        new.root(2),
        new.root(2, old.holders[0], *new.holders),
        new.root(2, *old.holders, new.holders[0]),
        new.root(3, *old.holders, *new.holders),
    ):
        with pytest.raises(DirectoryRefused) as caught:
            DirectoryPublisher(folder).rotate(data)
        assert caught.value.code in {"directory-signature-invalid", "directory-unreadable"}
        (tmp_path / "2.root.json").write_bytes(data)
        assert refusal(fresh(folder)) == caught.value.code
        (tmp_path / "2.root.json").unlink()
    with pytest.raises(DirectoryRefused, match="it is root 1") as caught:
        DirectoryPublisher(folder).rotate(old.root(1))
    assert fresh(folder).latest().version == 1


def test_the_threshold_is_kept_from_the_first_root_on(tmp_path: Path) -> None:
    """One signature of two is no root; nor is a threshold that nobody can reach."""
    ceremony = Ceremony()
    others = r"lacks 1 signature \(2 must sign\), not signed by holder-2, holder-3: have them sign it"
    with pytest.raises(DirectoryRefused, match=others) as caught:
        DirectoryFolder(tmp_path, ceremony.root(1, ceremony.holders[0]))
    assert caught.value.code == "directory-signature-invalid"
    public = ceremony.keys.clock.public_key()
    one = Quorum({"a": public}, 1)
    for wrong in (Quorum({"a": public}, 0), Quorum({"a": public}, 2), Quorum({"a": public, "b": public}, 2)):
        for holders in (Holders(wrong, one, public), Holders(one, wrong, public)):
            with pytest.raises(DirectoryRefused, match="cannot sign"):
                make_root(holders, 1, NOW)
