"""A folder of revocation lists: what is in use, whatever lies there."""

import logging
import os
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from exchange.security.crl import CrlRefused
from exchange.security.crl_folder import CrlFolder
from exchange.security.keys import KeyPair
from tests.security.lists import point, revocation_list
from tests.security.support import DAY, NOW, certify_root, encoded


class Place:
    """A folder with a clock to be moved on."""

    def __init__(self, folder: Path, root: KeyPair) -> None:
        """Empty."""
        self.folder = folder
        self.folder.mkdir()
        self.now = NOW
        self.root = root
        self.crls = CrlFolder(folder, lambda: self.now)
        self._puts = 0

    def put(self, name: str, data: bytes) -> None:
        """Replace a file."""
        (self.folder / name).write_bytes(data)
        self._puts += 1
        os.utime(self.folder / name, (self._puts, self._puts))  # two within a tick of the kernel's clock have one time

    def numbers(self, *issuers: KeyPair) -> list[int]:
        """Numbers of the lists in use."""
        listed = tuple(encoded(issuer.certificate) for issuer in issuers or (self.root,))
        return sorted(crl.number for crl in self.crls.look(listed))


@pytest.fixture
def place(tmp_path: Path, root: KeyPair) -> Place:
    """An empty one."""
    return Place(tmp_path / "crl", root)


def listed(root: KeyPair, number: int, begins: datetime = NOW - DAY, name: str = "") -> bytes:
    """A list that is due in two days."""
    scope = [(point(name), True)] if name else []
    return revocation_list(root, number=number, this_update=begins, next_update=NOW + 2 * DAY, extensions=scope)


def test_the_newest_of_each_scope_is_in_use(place: Place) -> None:
    """DER and PEM, several of one issuer, in any order of names."""
    other = certify_root("other")
    pem = x509.load_der_x509_crl(listed(place.root, 3)).public_bytes(serialization.Encoding.PEM)
    place.put("b.pem", pem)
    place.put("a.crl", listed(place.root, 2, NOW - 2 * DAY))
    place.put("c.crl", listed(place.root, 7, name="part"))
    place.put("other.crl", listed(other, 5))
    place.put(".new", b"half written")
    assert place.numbers() == [3, 7]
    assert place.crls.refused == {"crl-issuer-unknown": 1}
    assert place.numbers(place.root, other) == [3, 5, 7]


def test_news_are_taken_and_never_taken_back(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Broken, older, vanished: the one in use stays."""
    caplog.set_level(logging.INFO)
    place.put("a.crl", listed(place.root, 2))
    assert place.numbers() == [2]
    place.put("a.crl", listed(place.root, 30, NOW))
    assert place.numbers() == [30]
    for data, code in (
        (listed(place.root, 2), "crl-older"),
        (b"junk", "crl-unreadable"),
        (revocation_list(certify_root("Exchange statement root"), number=40), "crl-signature-invalid"),
    ):
        place.put("a.crl", data)
        for _ in range(2):
            assert place.numbers() == [30]
        assert place.crls.refused == {code: 1}
        assert caplog.text.count(f"({code})") == 1, "each file is told once"
    (place.folder / "a.crl").unlink()
    assert place.numbers() == [30]
    assert not place.crls.refused


def test_an_issuer_that_is_no_longer_listed(place: Place) -> None:
    """Its lists go with it; of an older directory those count that counted there."""
    other = certify_root("other")
    place.put("a.crl", listed(place.root, 1))
    place.put("b.crl", listed(other, 2))
    assert place.numbers(place.root, other) == [1, 2]
    assert place.numbers(other) == [2]
    assert [crl.number for crl in place.crls.of((encoded(other.certificate),))] == [2]
    assert place.crls.of(()) == ()


def test_a_list_of_tomorrow_waits(place: Place) -> None:
    """It is taken when its time has come, without being touched."""
    place.put("a.crl", listed(place.root, 1, NOW + DAY))
    assert place.numbers() == []
    assert place.crls.refused == {"crl-not-yet-valid": 1}
    place.now = NOW + DAY
    assert place.numbers() == [1]


def test_an_overdue_list_is_told_once(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """And counted until the next one comes."""
    place.put("a.crl", listed(place.root, 1))
    assert place.numbers() == [1]
    assert place.crls.stale() == []
    place.now = NOW + 3 * DAY
    for _ in range(2):
        assert place.numbers() == [1]
    assert caplog.text.count("revocation-stale") == len(place.crls.stale()) == 1


def test_a_folder_that_is_not_there(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Is told by its own code, at the start; later the lists in use stay, and nothing else waits for it."""
    (place.folder / "folder").mkdir()
    place.put("a.crl", listed(place.root, 1))
    assert place.numbers() == [1]
    away = place.folder.rename(place.folder.with_name("away"))
    assert place.numbers() == [1]
    assert "crl-folder-unreadable" in caplog.text
    away.rename(place.folder)
    assert place.numbers() == [1]
    with pytest.raises(CrlRefused) as caught:
        CrlFolder(place.folder / "nowhere", lambda: NOW).look(())
    assert caught.value.code == "crl-folder-unreadable"
