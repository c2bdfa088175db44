"""Who had which certificate: a version of the directory, proven from the first root (The Update Framework).

Only what concerns one body is read: root, snapshot, list of lists, the body's list, its entry. All but roots are found
by their SHA-256, which the decision or the file before names; names of files are not believed.
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from exchange_verify.errors import require, within

Json = Mapping[str, Any]
_ESCAPED = re.compile(r"\\(u[0-9a-f]{4}|.)")
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
Proof = tuple[bytes, Json]
"""What is signed of a file, and the signatures by their keys' ids."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A version of the directory as far as it concerns one body.

    Attributes:
        certificates: SHA-256 of the body's certificates for statements, with the time since when each is revoked.
        issuers: who may issue such.
        partitions: how many the journal has.
    """

    certificates: Mapping[bytes, datetime | None]
    issuers: list[x509.Certificate]
    partitions: int


class Directory:
    """The directory's files in a package."""

    def __init__(self, first: bytes, files: Mapping[str, bytes]) -> None:
        """Follow the roots from the first, `1.root.json`, which the person who verifies has brought."""
        self.exchange = sha256(first).digest()
        self._files = {sha256(data).digest(): data for data in files.values()}
        named = {name.rpartition("/")[2]: data for name, data in files.items()} | {"1.root.json": first}
        self._roots: list[Json] = []
        while (name := f"{len(self._roots) + 1}.root.json") in named:
            with within(name):
                root, proof = _metadata(named[name], "root", len(self._roots) + 1)
                for by in (*self._roots[-1:], root):
                    _verify(by["keys"], by["roles"]["root"], proof)
            self._roots.append(root)

    def look_up(self, digest: bytes, version: int, body: str) -> Listed:
        """What the version whose snapshot has this SHA-256 says about a body."""
        snapshot, proof = _metadata(self._file(digest), "snapshot", version)
        require(0 < snapshot["x-root"] <= len(self._roots), f"directory/{snapshot['x-root']}.root.json: is not here")
        root = self._roots[snapshot["x-root"] - 1]
        _verify(root["keys"], root["roles"]["snapshot"], proof)
        targets, proof = self._list(snapshot, "targets")
        _verify(root["keys"], root["roles"]["targets"], proof)
        bins, path = targets["delegations"]["succinct_roles"], f"bodies/{body}.json"
        listed, proof = self._list(snapshot, _bin(bins, path))
        _verify(targets["delegations"]["keys"], bins, proof)
        settings = json.loads(self._file(_digest(targets["targets"]["exchange.json"])))
        require(path in listed["targets"], f"version {version} lists no body {body}")
        entry = json.loads(self._file(_digest(listed["targets"][path])))
        require(entry["code"] == body, f"the entry of {body} is that of {entry['code']}")
        certificates = {}
        for each in (each for each in entry["certificates"] if each["use"] == "statement"):
            since = each["revoked"] and datetime.strptime(each["revoked"], _TIME).replace(tzinfo=UTC)
            certificates[sha256(_der(each["der"])).digest()] = since
        issuers = [x509.load_der_x509_certificate(_der(issuer)) for issuer in settings["issuers"]]
        return Listed(certificates, issuers, settings["journal_partitions"])

    def _file(self, digest: bytes) -> bytes:
        require(digest in self._files, f"directory/: lacks the file with SHA-256 {digest.hex()}")
        return self._files[digest]

    def _list(self, snapshot: Json, role: str) -> tuple[Json, Proof]:
        meta = snapshot["meta"][f"{role}.json"]
        return _metadata(self._file(_digest(meta)), "targets", meta["version"])


def _metadata(data: bytes, kind: str, version: int) -> tuple[Json, Proof]:
    """What a file says, and what may prove it."""
    document = json.loads(data, object_pairs_hook=once)
    signed = document["signed"]
    require((signed["_type"], signed["version"]) == (kind, version), f"it is not {kind} {version}")
    return signed, (_canonical(signed).encode(), {each["keyid"]: each["sig"] for each in document["signatures"]})


def _verify(keys: Json, role: Json, proof: Proof) -> None:
    """So many of a role's keys as its threshold says must have signed; a key counts once, whatever it is called."""
    signed, signatures = proof
    named = [(keys[each], bytes.fromhex(signatures[each])) for each in role["keyids"] if each in signatures]
    held = {key["keyval"]["public"] for key, signature in named if _holds(key, signature, signed)}
    require(len(held) >= role["threshold"] >= 1, f"{len(held)} signatures of it hold, {role['threshold']} are due")


def _holds(key: Json, signature: bytes, signed: bytes) -> bool:
    loaded, scheme = load_pem_public_key(key["keyval"]["public"].encode()), key["scheme"]
    try:
        if isinstance(loaded, ec.EllipticCurvePublicKey) and scheme == "ecdsa-sha2-nistp256":
            loaded.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(loaded, rsa.RSAPublicKey) and scheme == "rsassa-pss-sha256" and loaded.key_size >= 2048:
            salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            loaded.verify(signature, signed, salted, hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _bin(bins: Json, path: str) -> str:
    """The list where a path belongs: by the first bits of its SHA-256."""
    bits = bins["bit_length"]
    number = int.from_bytes(sha256(path.encode()).digest()[:4], "big") >> (32 - bits)
    return f"{bins['name_prefix']}-{number:0{(bits + 3) // 4}x}"


def _digest(meta: Json) -> bytes:
    return bytes.fromhex(meta["hashes"]["sha256"])


def _der(text: str) -> bytes:
    return b64decode(text, validate=True)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, none of whose names is there twice."""
    require(len(dict(pairs)) == len(pairs), "it has a name twice in one object")
    return dict(pairs)


def _canonical(value: object) -> str:
    """OLPC's canonical JSON, over which the framework signs: quotes and backslashes are escaped, nothing else is."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _ESCAPED.sub(lambda found: found[0] if found[1] in '"\\' else json.loads(f'"{found[0]}"'), text)
