"""Fetching revocation lists: over real HTTP, verified before anything is replaced."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.domain.directory import Directory
from exchange.security.crl import CRL_BYTES_MAX, CrlRefused
from exchange.security.keys import KeyPair
from exchange.services.crl_fetch import Fetched, distribution_points, download, fetch_all
from tests.security.lists import revocation_list
from tests.security.openssl_authority import ECDSA, STATEMENTS, YEARS, OpensslIssuer
from tests.security.support import DAY, NOW, body, certify_root, directory, encoded
from tests.services.crl_issuer import Issuer


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """A server that is reached directly, whatever proxy the machine has."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Issuer() as serving:
        yield serving


@pytest.fixture(scope="module")
def root() -> KeyPair:
    """An issuer of statement certificates."""
    return certify_root("Exchange statement root")


@pytest.fixture
def listed(root: KeyPair) -> Directory:
    """A directory of one issuer."""
    return directory(root, body("mfa"))


def fetch(url: str, folder: Path, listed: Directory) -> Fetched:
    """One address."""
    (fetched,) = fetch_all([url], folder, listed, NOW, download)
    return fetched


def numbered(root: KeyPair, number: int) -> bytes:
    """The issuer's list of that number."""
    return revocation_list(root, number=number, this_update=NOW - DAY + number * DAY / 100)


def test_a_list_is_fetched_and_replaced_by_the_next(
    issuer: Issuer, root: KeyPair, listed: Directory, tmp_path: Path
) -> None:
    """Whole or not at all; the same again is no news."""
    url = issuer.url("/a.crl")
    issuer.pages["/a.crl"] = numbered(root, 1)
    first = fetch(url, tmp_path / "crl", listed)
    assert (first.code, first.issuer, first.number, first.changed) == ("", "Exchange statement root", 1, True)
    assert first.file.read_bytes() == issuer.pages["/a.crl"]
    assert not fetch(url, tmp_path / "crl", listed).changed
    issuer.pages["/a.crl"] = numbered(root, 2)
    assert fetch(url, tmp_path / "crl", listed).number == 2
    assert [path.read_bytes() for path in (tmp_path / "crl").iterdir()] == [issuer.pages["/a.crl"]]


def test_what_does_not_hold_replaces_nothing(issuer: Issuer, root: KeyPair, listed: Directory, tmp_path: Path) -> None:
    """An older list, somebody else's, a page that says that all is well, one without end."""
    url = issuer.url("/a.crl")
    issuer.pages["/a.crl"] = good = numbered(root, 5)
    file = fetch(url, tmp_path, listed).file
    for page, code in (
        (numbered(root, 4), "crl-older"),
        (revocation_list(root, number=6, this_update=NOW + DAY, next_update=NOW + 2 * DAY), "crl-not-yet-valid"),
        (revocation_list(certify_root("Exchange statement root"), number=9), "crl-signature-invalid"),
        (revocation_list(certify_root("another")), "crl-issuer-unknown"),
        (b"<html>Welcome to the hotel</html>", "crl-unreadable"),
        (bytes(CRL_BYTES_MAX + 9), "crl-too-large"),
    ):
        issuer.pages["/a.crl"] = page
        fetched = fetch(url, tmp_path, listed)
        assert (fetched.code, fetched.changed) == (code, False)
        assert fetched.problem
        assert file.read_bytes() == good


def test_one_that_fails_does_not_keep_the_others(
    issuer: Issuer, root: KeyPair, listed: Directory, tmp_path: Path
) -> None:
    """Each address is told by itself; a broken file that lies there is replaced."""
    issuer.pages["/a.crl"] = numbered(root, 1)
    urls = [issuer.url("/missing.crl"), issuer.url("/a.crl")]
    done = fetch_all(urls, tmp_path, listed, NOW, download)
    assert [each.code for each in done] == ["crl-not-fetched", ""]
    assert "Not Found" in done[0].problem
    done[1].file.write_bytes(b"junk")
    assert fetch(urls[1], tmp_path, listed).changed


def test_where_a_redirection_may_lead(issuer: Issuer, root: KeyPair) -> None:
    """To another page; never to a file or to another protocol."""
    issuer.pages["/a.crl"] = numbered(root, 1)
    issuer.pages["/moved"] = issuer.url("/a.crl").encode()
    assert download(issuer.url("/moved")) == issuer.pages["/a.crl"]
    issuer.pages["/moved-file"] = b"file:///etc/hostname"
    issuer.pages["/moved-ftp"] = b"ftp://127.0.0.1/a.crl"
    with Issuer() as unreachable:
        pass
    for url in (
        issuer.url("/moved-file"),
        issuer.url("/moved-ftp"),
        "file:///etc/hostname",
        "/etc/hostname",
        unreachable.url("/a.crl"),
    ):
        with pytest.raises(CrlRefused) as caught:
            download(url)
        assert caught.value.code == "crl-not-fetched"


@pytest.mark.requires_tool(name="openssl", debian="openssl")
def test_certificates_name_where_lists_are(root: KeyPair, tmp_path: Path) -> None:
    """Those of issuers and of bodies, each address once; LDAP is not for us."""
    issuing = OpensslIssuer.root(tmp_path / "root", key=ECDSA)
    points = "crlDistributionPoints = URI:http://crl.example/b.crl, URI:ldap://crl.example/cn=b, URI:{}\n"
    below = issuing.intermediate(tmp_path / "below", key=ECDSA, extensions=points.format("http://crl.example/a.crl"))
    said = STATEMENTS + points.format("https://crl.example/c.crl")
    leaves = [below.issue(name, key=ECDSA, extensions=said, validity=YEARS) for name in ("mfa", "minjust")]
    listed = directory(root, *(body(f"b-{at}", leaf) for at, leaf in enumerate(leaves)))
    listed = replace(listed, issuers=(*listed.issuers, encoded(below.certificate)))
    assert distribution_points(listed) == (
        "http://crl.example/a.crl",
        "http://crl.example/b.crl",
        "https://crl.example/c.crl",
    )
