"""Who had which certificate, by the directory (The Update Framework), and whether it was valid then (RFC 5280).

Of the directory's files all but roots are found by their SHA-256, which the decision or the file before names.
"""

import json
import re
import tomllib
from base64 import b64decode
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from exchange_verify.errors import Refused, require, within

STATEMENTS = x509.ObjectIdentifier("2.25.107290019016386115960636239826129751690.1")
_STRONG, _PIECE_BYTES = (hashes.SHA256, hashes.SHA384, hashes.SHA512), 512 * 1024
Certificates = list[x509.Certificate]
Json = dict[str, Any]
_SCHEMES = {"ecdsa-sha2-nistp256": ec.EllipticCurvePublicKey, "rsassa-pss-sha256": rsa.RSAPublicKey}
_TIME, _ESCAPED = "%Y-%m-%dT%H:%M:%S.%fZ", re.compile(r"\\(u[0-9a-f]{4}|.)")


class Directory:
    """The directory's files in a package."""

    def __init__(self, first: bytes, files: dict[str, bytes]) -> None:
        """Follow the roots from the first, `1.root.json`, which the person who verifies has brought."""
        self.exchange = sha256(first).digest()
        self._files = {sha256(data).hexdigest(): data for data in files.values()}
        self._roots, self.used, files = list[Json](), set[bytes](), {**files, "directory/1.root.json": first}
        while (name := f"directory/{len(self._roots) + 1}.root.json") in files:
            with within(name if self._roots else "the root file that you brought"):
                root = (document := json.loads(files[name]))["signed"]
                for by in (*self._roots[-1:], root):
                    _signed(document, "root", len(self._roots) + 1, by["keys"], by["roles"]["root"])
            self._roots.append(root)
            self.used.add(files[name])

    def listed(self, der: bytes, body: str, at: datetime, digest: bytes, version: int) -> tuple[Certificates, int]:
        """Refuse a certificate that was not a body's then, by that snapshot; else who issues such, how many logs."""
        document = self._json(digest.hex())
        number = document["signed"]["x-root"]
        require(0 < number <= len(self._roots), f"directory/{number}.root.json: is not here")
        keys, roles = self._roots[number - 1]["keys"], self._roots[number - 1]["roles"]
        snapshot = _signed(document, "snapshot", version, keys, roles["snapshot"])
        targets = self._list(snapshot, "targets", keys, roles["targets"])
        lists, path = targets["delegations"]["succinct_roles"], f"bodies/{body}.json"
        # A body's list goes by the first bits of its path's SHA-256.
        bits, first = lists["bit_length"], int.from_bytes(sha256(path.encode()).digest()[:4], "big")
        name = f"{lists['name_prefix']}-{first >> (32 - bits):0{(bits + 3) // 4}x}"
        bodies = self._list(snapshot, name, targets["delegations"]["keys"], lists)["targets"]
        require(path in bodies, f"version {version} lists no body {body}")
        entry = self._json(bodies[path]["hashes"]["sha256"])
        settings = self._json(targets["targets"]["exchange.json"]["hashes"]["sha256"])
        require(entry["code"] == body, f"the entry of {body} is that of {entry['code']}")
        held = [each for each in entry["certificates"] if b64decode(each["der"], validate=True) == der]
        require(any(each["use"] == "statement" for each in held), "it is not listed")
        for each in held:
            since = each["revoked"] and datetime.strptime(each["revoked"], _TIME).replace(tzinfo=UTC)
            require(not since or since > at, f"it was revoked at {since}, the decision is of {at}")
        issuers = [x509.load_der_x509_certificate(b64decode(each, validate=True)) for each in settings["issuers"]]
        return issuers, settings["journal_partitions"]

    def _list(self, snapshot: Json, name: str, keys: Json, role: Json) -> Json:
        meta = snapshot["meta"][f"{name}.json"]
        return _signed(self._json(meta["hashes"]["sha256"]), "targets", meta["version"], keys, role)

    def _json(self, digest: str) -> Json:
        require(digest in self._files, f"directory/: lacks the file with SHA-256 {digest}")
        self.used.add(self._files[digest])
        return dict(json.loads(self._files[digest]))


def _signed(document: Json, kind: str, version: int, keys: Json, role: Json) -> Json:
    """What a file says, signed by as many keys as a role's threshold says; a key counts once, whatever its ids."""
    signed: Json = document["signed"]
    require((signed["_type"], signed["version"]) == (kind, version), f"it is not {kind} {version}")
    # They sign OLPC's canonical JSON, in which quotes and backslashes are escaped and nothing else is.
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    text = _ESCAPED.sub(lambda found: found[0] if found[1] in '"\\' else json.loads(f'"{found[0]}"'), text)
    signatures, held = {each["keyid"]: bytes.fromhex(each["sig"]) for each in document["signatures"]}, set[str]()
    for name in signatures.keys() & set(role["keyids"]):
        public = keys[name]["keyval"]["public"]
        with suppress(Refused, InvalidSignature):
            key = load_pem_public_key(public.encode())
            require(isinstance(key, _SCHEMES.get(keys[name]["scheme"], ())), "its scheme is another")
            require_signed(key, signatures[name], text.encode(), hashes.SHA256(), salted=True)
            held.add(public)
    require(len(held) >= role["threshold"] >= 1, f"{len(held)} signatures of it hold, {role['threshold']} are due")
    return signed


def require_signed(key: object, value: bytes, data: bytes, by: hashes.HashAlgorithm, *, salted: bool = False) -> None:
    """Refuse, by `InvalidSignature`, a value that a key did not make; and keys that are too weak."""
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 256:
        key.verify(value, data, ec.ECDSA(by))
    elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        key.verify(value, data, padding.PSS(padding.MGF1(by), padding.PSS.AUTO) if salted else padding.PKCS1v15(), by)
    else:
        raise Refused("its key is too weak, or of another kind than ECDSA and RSA")


def chain(
    leaf: x509.Certificate, trusted: Certificates, others: Certificates, at: datetime, usage: x509.ObjectIdentifier
) -> Certificates:
    """The certificates from a leaf for that usage to a top one of those trusted, all valid at that time."""
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    require(usage in usages, f"it is not for usage {usage.dotted_string}")
    key = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    signs = [key.digital_signature, key.content_commitment]
    require(all(signs) if usage == STATEMENTS else any(signs), "its key is not for such signatures")
    top = [each for each in trusted if not any(each.issuer == by.subject != each.subject for by in trusted)]
    between = [each for each in (*trusted, *others) if each not in top]
    issuers, leaves = ExtensionPolicy.webpki_defaults_ca(), ExtensionPolicy.permit_all()
    builder = PolicyBuilder().store(Store(top)).time(at).extension_policies(ca_policy=issuers, ee_policy=leaves)
    try:
        return builder.build_client_verifier().verify(leaf, between).chain
    except VerificationError as error:
        raise Refused(f"no chain to a trusted issuer was valid at {at:%Y-%m-%dT%H:%M:%SZ} ({error})") from error


def check_lists(path: Certificates, policy: bytes, lists: dict[str, bytes], by: Certificates, at: datetime) -> None:
    """Refuse a chain when the revocation lists are not those that a policy names, or one of it was revoked by them."""
    named = tomllib.loads(policy.decode())
    minds, parts = named.get("revocation", {}).get("when_stale") == "refuse", named.get("crls", {}).get("parts", [])
    require(len(parts) == len(lists), f"the policy names {len(parts)} revocation lists")
    for (file, data), due in zip(lists.items(), parts, strict=True):
        with within(file):
            pieces = (data[begin : begin + _PIECE_BYTES] for begin in range(0, len(data), _PIECE_BYTES))
            require([sha256(each).hexdigest() for each in pieces] == due, "it is not the list that the policy names")
            crl = x509.load_der_x509_crl(data)
            keys = [issuer.public_key() for issuer in by if issuer.subject == crl.issuer]
            held = any(crl.is_signature_valid(key) for key in keys)  # type: ignore[arg-type]  # others: TypeError
            require(held, "it is not signed by an issuer that the directory lists")
            full = not any(isinstance(each.value, x509.DeltaCRLIndicator) for each in crl.extensions)
            require(full and isinstance(crl.signature_hash_algorithm, _STRONG), "it is partial, or signed weakly")
        for certificate in (each for each in path if each.issuer == crl.issuer):
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            since = entry and entry.revocation_date_utc
            require(not since or since > at, f"{certificate.serial_number:x} was revoked by its issuer at {since}")
            overdue = crl.next_update_utc is None or crl.next_update_utc < at.replace(microsecond=0)
            require(not (minds and overdue), "its issuer's list was overdue, which the policy does not accept")
