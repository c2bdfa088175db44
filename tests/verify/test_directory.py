"""Directories by those who may sign them: every signature holds, and still the certificate was not that body's."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from exchange_verify.certificates import STATEMENTS, Directory, chain
from exchange_verify.errors import Refused
from securesystemslib.formats import encode_canonical

from tests.security.support import NOW, certify, certify_root, encoded, rsa_key

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Alter = Callable[[Any], object]
KEY, OTHER, RSA = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()), rsa_key()
CERTIFICATE = encoded(certify_root().certificate)
LISTED = {"use": "statement", "der": b64encode(CERTIFICATE).decode(), "revoked": None}


def signed(said: Any, *keys: Key) -> bytes:
    """What it says, and a signature by each."""
    text = str(encode_canonical(said)).encode()
    values = [
        key.sign(text, ec.ECDSA(hashes.SHA256()))
        if isinstance(key, ec.EllipticCurvePrivateKey)
        else key.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        for key in keys
    ]
    signatures = [{"keyid": str(at), "sig": value.hex()} for at, value in enumerate(values)]
    return json.dumps({"signed": said, "signatures": signatures}).encode()


def ruled(version: int, *keys: Key) -> dict[str, Any]:
    """A root by which all these keys sign everything."""
    role = {"keyids": [str(at) for at, _ in enumerate(keys)], "threshold": len(keys)}
    texts = [key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() for key in keys]
    schemes = ["rsassa-pss-sha256" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa-sha2-nistp256" for key in keys]
    held = {
        str(at): {"scheme": scheme, "keyval": {"public": text}}
        for at, (scheme, text) in enumerate(zip(schemes, texts, strict=True))
    }
    roles = {name: dict(role) for name in ("root", "snapshot", "targets")}
    return {"_type": "root", "version": version, "keys": held, "roles": roles}


def look(odd: str = "", alter: Alter = id, keys: tuple[Key, ...] = (KEY,), roots: tuple[bytes, ...] = ()) -> None:
    """Look for the certificate in the smallest directory, of which one file says something odd and is signed so."""
    files = {f"directory/{number}.root.json": data for number, data in enumerate(roots, 2)}

    def kept(name: str, said: dict[str, Any], *by: Key) -> Any:
        if name == odd:
            alter(said)
        files[name] = signed(said, *by) if by else json.dumps(said).encode()
        return {"version": 1, "hashes": {"sha256": sha256(files[name]).hexdigest()}}

    root = ruled(1, *keys)
    kept("root", root, *keys)
    settings = kept("settings", {"issuers": [], "journal_partitions": 2})
    body = kept("entry", {"code": "alpha", "certificates": [dict(LISTED)]})
    bodies = kept("bodies", {"_type": "targets", "version": 1, "targets": {"bodies/alpha.json": body}}, *keys)
    role = {**root["roles"]["targets"], "bit_length": 0, "name_prefix": "bodies"}
    delegated = {"keys": root["keys"], "succinct_roles": role}
    listed = {"targets": {"exchange.json": settings}, "delegations": delegated}
    targets = kept("targets", {"_type": "targets", "version": 1, **listed}, *keys)
    meta = {"targets.json": targets, "bodies-0.json": bodies}
    kept("snapshot", {"_type": "snapshot", "version": 1, "x-root": 1, "meta": meta}, *keys)
    directory = Directory(files.pop("root"), files)
    assert directory.listed(CERTIFICATE, "alpha", NOW, sha256(files["snapshot"]).digest(), 1) == ([], 2)


@pytest.mark.parametrize("keys", [(KEY,), (RSA,), (KEY, RSA, OTHER)])
def test_what_holds(keys: tuple[Key, ...]) -> None:
    """Keys of both kinds."""
    look(keys=keys)


ODD: Mapping[str, tuple[str, Alter, str]] = {
    "under no root": ("snapshot", lambda said: said.update({"x-root": 0}), "directory/0.root.json: is not here"),
    "under a later root": ("snapshot", lambda said: said.update({"x-root": 2}), "directory/2.root.json: is not here"),
    "another kind": ("snapshot", lambda said: said.update(_type="targets"), "it is not snapshot 1"),
    "another version": ("snapshot", lambda said: said.update(version=2), "it is not snapshot 1"),
    "a list of another version": ("targets", lambda said: said.update(version=2), "it is not targets 1"),
    "a list of another kind": ("bodies", lambda said: said.update(_type="snapshot"), "it is not targets 1"),
    "no such body": ("bodies", lambda said: said["targets"].clear(), "version 1 lists no body alpha"),
    "another's entry": ("entry", lambda said: said.update(code="beta"), "the entry of alpha is that of beta"),
    "no certificate": ("entry", lambda said: said["certificates"].clear(), "it is not listed"),
    "for another use": ("entry", lambda said: said["certificates"][0].update(use="connection"), "it is not listed"),
    "revoked where it is listed again": (
        "entry",
        lambda said: said["certificates"].append({**LISTED, "revoked": "2020-01-01T00:00:00.000000Z"}),
        "it was revoked at 2020-01-01",
    ),
    "signed by as many as nobody": (
        "root",
        lambda said: said["roles"]["snapshot"].update(threshold=0),
        "1 signatures of it hold, 0 are due",
    ),
    "another scheme": (
        "root",
        lambda said: said["keys"]["0"].update(scheme="rsassa-pss-sha256"),
        "0 signatures of it hold, 1 are due",
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_what_their_signers_may_not_say(what: str) -> None:
    """The decision names such a version by its digest, and those who signed it stand by it."""
    odd, alter, said = ODD[what]
    with pytest.raises(Refused, match=said):
        look(odd, alter)


@pytest.mark.parametrize(
    ("keys", "held"), [((KEY, KEY), 1), ((ec.generate_private_key(ec.SECP224R1()),), 0), ((rsa_key(1024),), 0)]
)
def test_keys_that_do_not_count(keys: tuple[Key, ...], held: int) -> None:
    """One key is one, whatever its ids, and a weak one is none."""
    with pytest.raises(Refused, match=f"the root file that you brought: {held} signatures of it hold"):
        look(keys=keys)


@pytest.mark.parametrize("key", [KEY, RSA])
def test_a_signature_of_something_else(key: Key) -> None:
    """Under the right key's name."""
    root = json.loads(signed(ruled(1, key), key))
    root["signed"]["expires"] = "never"
    with pytest.raises(Refused, match="0 signatures of it hold, 1 are due"):
        Directory(json.dumps(root).encode(), {})


def test_the_next_root() -> None:
    """Those before and its own keys must sign it, and it is the very next."""
    look(roots=(signed(ruled(2, KEY, RSA), KEY, RSA),))
    replaced = ruled(2, OTHER)
    for said, key in ((replaced, KEY), (replaced, OTHER)):
        with pytest.raises(Refused, match=r"directory/2.root.json: 0 signatures of it hold"):
            look(roots=(signed(said, key),))
    with pytest.raises(Refused, match=r"directory/2.root.json: it is not root 2"):
        look(roots=(signed(ruled(3, KEY), KEY),))


@pytest.mark.parametrize(
    ("usages", "commitment", "said"),
    [
        ((ExtendedKeyUsageOID.CLIENT_AUTH,), True, f"it is not for usage {STATEMENTS.dotted_string}"),
        ((STATEMENTS,), False, "its key is not for such signatures"),
    ],
)
def test_certificates_for_something_else(
    *,
    usages: tuple[x509.ObjectIdentifier, ...],
    commitment: bool,
    said: str,
) -> None:
    """The exchange's authority issues them for connections, too."""
    issuer = certify_root()
    true = certify(issuer, "alpha").certificate
    assert chain(true, [issuer.certificate], [], NOW, STATEMENTS) == [true, issuer.certificate]
    leaf = certify(issuer, "alpha", usages=usages, commitment=commitment).certificate
    with pytest.raises(Refused, match=said):
        chain(leaf, [issuer.certificate], [], NOW, STATEMENTS)
