"""The ceremony in which people who each hold a key agree whose keys count: making and signing a root."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from securesystemslib.signer import CryptoSigner, Key, SSlibKey
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from exchange.security.directory.roots import NAME_FIELD, parse
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import PrivateKey, PublicKey

ROOT_LIFETIME = timedelta(days=2 * 365)


@dataclass(frozen=True, slots=True)
class Quorum:
    """Public keys of a role by their holders' names, and how many of them must sign."""

    keys: Mapping[str, PublicKey]
    threshold: int


@dataclass(frozen=True, slots=True)
class Holders:
    """Whose keys a root names."""

    root: Quorum
    keepers: Quorum
    clock: PublicKey


def make_root(holders: Holders, number: int, at: datetime) -> bytes:
    """A root without signatures yet.

    Raises:
        DirectoryRefused: `directory-field-invalid`: a threshold is more than there are keys, or none.
    """
    root = Root(version=number, expires=(at + ROOT_LIFETIME).replace(microsecond=0), consistent_snapshot=True)
    roles = {
        Root.type: holders.root,
        Targets.type: holders.keepers,
        # The last of the keepers to sign the lists puts them together: the others have signed what is in them.
        Snapshot.type: Quorum(holders.keepers.keys, 1),
        Timestamp.type: Quorum({"clock": holders.clock}, 1),
    }
    for role, quorum in roles.items():
        keys = {key.keyid: key for key in (_public(name, key) for name, key in quorum.keys.items())}
        if not 1 <= quorum.threshold <= len(keys):
            message = f"{role}: {quorum.threshold} of {len(keys)} keys cannot sign: from 1 up to their number"
            raise DirectoryRefused(message, code="directory-field-invalid")
        for key in keys.values():
            root.add_key(key, role)
        root.roles[role].threshold = quorum.threshold
    return Metadata(root).to_bytes()


def sign_root(root: bytes, key: PrivateKey, before: bytes | None = None) -> bytes:
    """A root with one holder's signature more.

    Args:
        root: the root to be signed.
        key: of one of its holders, or of those of the root before it.
        before: the root before it, None for the first.

    Raises:
        DirectoryRefused: `directory-unreadable`; `root-key-unknown`: the key is no holder's.
    """
    metadata = parse(Root, root, "the root")
    signer = CryptoSigner(key)
    holders = {*metadata.signed.roles[Root.type].keyids}
    if before is not None:
        holders |= {*parse(Root, before, "the root before").signed.roles[Root.type].keyids}
    if signer.public_key.keyid not in holders:
        message = f"key {signer.public_key.keyid[:8]} is no root's holder's: sign with yours, or name the root before"
        raise DirectoryRefused(message, code="root-key-unknown")
    metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _public(name: str, key: PublicKey) -> Key:
    public = SSlibKey.from_crypto(key)
    public.unrecognized_fields[NAME_FIELD] = name
    return public
