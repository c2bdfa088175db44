"""The transparency log: that an entry is in it (RFC 6962, twice), and who says so (C2SP signed notes, witnesses).

An entry leads to the root of its partition, which stands in a leaf of the log of heads, which leads to the checkpoint's
root. The log's key signs checkpoints; witnesses cosign those that only continue what they saw before.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange_verify.errors import Refused, require

_NOTE, _COSIGNATURE = 1, 4


@dataclass(frozen=True, slots=True)
class Key:
    """An Ed25519 key with its holder's name; its kind says whether it signs notes or cosigns checkpoints."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str, kind: int) -> "Key":
        """`NAME+ID+KEY`."""
        name, stated, encoded = text.split("+", 2)
        data = b64decode(encoded, validate=True)
        key = cls(name, data[0], data[1:])
        require((key.id.hex(), key.kind, len(key.public)) == (stated, kind, 32), f"{text} is no key of that kind")
        return key

    @property
    def id(self) -> bytes:
        """What stands before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def require_signed(self, text: str, signature: bytes) -> int:
        """When it signed a note's text, seconds since 1970; 0 for signatures that say no time."""
        at = 0
        if self.kind == _COSIGNATURE:
            at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            text = f"cosignature/v1\ntime {at}\n{text}"
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature as error:
            raise Refused(f"the checkpoint's signature by {self.name} does not hold") from error
        return at


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log signed: the text, and of the log of heads size and root; by witness, when it cosigned."""

    text: str
    size: int
    root: bytes
    cosigned: Mapping[str, int]


class Policy:
    """Whose word about the log counts: its key, witnesses, groups of so many of some, and the quorum."""

    def __init__(self, text: str) -> None:
        """Read a policy, in the form that docs/auditor.md shows."""
        lines = [words for words in (line.partition("#")[0].split() for line in text.splitlines()) if words]
        (self.log,) = (Key.parse(words[1], _NOTE) for words in lines if words[0] == "log")
        (self.quorum,) = (words[1] for words in lines if words[0] == "quorum")
        self.witnesses: dict[str, Key] = {}
        self._groups: dict[str, tuple[int, list[str]]] = {}
        for word, name, *rest in lines:
            known = {*self.witnesses, *self._groups, "none"}
            require(word in {"log", "quorum"} or name not in known, f"'{name}' is named twice")
            if word == "witness":
                self.witnesses[name] = Key.parse(rest[0], _COSIGNATURE)
            elif word == "group":
                least, *members = rest
                number = {"any": 1, "all": len(members)}.get(least) or int(least)
                fits = 1 <= number <= len(set(members)) == len(members) and known.issuperset(members)
                require(fits and "none" not in members, f"group {name} does not name so many different ones")
                self._groups[name] = number, members
            else:
                require(word in {"log", "quorum"}, f"'{word}' is none of log, witness, group, quorum")
        require(self.quorum in {*self.witnesses, *self._groups, "none"}, f"quorum {self.quorum} is not known")
        require(len(set(self.witnesses.values())) == len(self.witnesses), "one key is two witnesses")

    def open(self, note: bytes) -> Checkpoint:
        """A checkpoint by the log that enough witnesses cosigned."""
        text, gap, lines = note.decode().rpartition("\n\n")
        require(gap and lines.endswith("\n"), "the checkpoint is no signed note")
        text += "\n"
        known = {(key.name, key.id): key for key in (self.log, *self.witnesses.values())}
        signed: dict[Key, int] = {}
        for line in lines[:-1].split("\n"):
            dash, name, encoded = line.split(" ")
            data = b64decode(encoded, validate=True)
            require(dash == "\u2014" and encoded == b64encode(data).decode(), "the checkpoint has odd signatures")
            if key := known.get((name, data[:4])):
                signed[key] = key.require_signed(text, data[4:])
        name, size, root, nothing = text.split("\n")
        require(name == self.log.name and self.log in signed, f"the checkpoint is not signed by {self.log.name}")
        require(not nothing, "the checkpoint has more than three lines")
        cosigned = {name: signed[key] for name, key in self.witnesses.items() if key in signed}
        require(self._is_met(self.quorum, cosigned), f"{len(cosigned)} witnesses cosigned, too few for '{self.quorum}'")
        return Checkpoint(text, _number(size), _hash(root), cosigned)

    def _is_met(self, name: str, cosigned: Mapping[str, int]) -> bool:
        number, members = self._groups.get(name, (0, []))
        return name == "none" or name in cosigned or 0 < number <= sum(self._is_met(each, cosigned) for each in members)


def verify(proof: bytes, entry: bytes, policy: Policy) -> tuple[int, int, Checkpoint]:
    """Partition and index at which a proof shows an entry to be, and the checkpoint that says so."""
    first, heads, second, note = proof.split(b"\n\n", 3)
    title, place, *path = first.decode("ascii").split("\n")
    word, partition, index = place.split(" ")
    at, *above = second.decode("ascii").split("\n")
    require((title, word, at[:6]) == ("exchange-proof/v1", "log", "heads "), "it is no exchange-proof/v1")
    checkpoint, leaf = policy.open(note), heads + b"\n"
    size, root = _heads(leaf)[_number(partition)]
    _require_root(root, entry, _number(index), size, path)
    _require_root(checkpoint.root, leaf, _number(at[6:]), checkpoint.size, above)
    return _number(partition), _number(index), checkpoint


def _heads(leaf: bytes) -> list[tuple[int, bytes]]:
    """Of each partition's log size and root, by a leaf of the log of heads."""
    title, time, *lines, nothing = leaf.decode("ascii").split("\n")
    require((title, time[:5], nothing) == ("exchange-heads/v1", "time ", "") and _number(time[5:]) > 0, "odd heads")
    logs = [line.split(" ") for line in lines if not (line is lines[-1] and line.startswith("after "))]
    require(all((each[0], each[1]) == ("log", str(at)) for at, each in enumerate(logs)), "the heads leave logs out")
    return [(_number(size), _hash(root)) for _, _, size, root in logs]


def _require_root(root: bytes, leaf: bytes, index: int, size: int, path: Sequence[str]) -> None:
    """RFC 9162, 2.1.3.2: the path from the leaf leads to the root, and to no other."""
    require(index < size, f"there is no entry {index} in a log of {size}")
    at, last, found = index, size - 1, sha256(b"\0" + leaf).digest()
    for beside in map(_hash, path):
        require(last, "the proof is too long")
        while at == last and not at % 2:
            at, last = at >> 1, last >> 1
        found = sha256(b"\1" + (beside + found if at % 2 else found + beside)).digest()
        at, last = at >> 1, last >> 1
    require(not last and found == root, "it leads to another root than the one that is signed")


def _number(text: str) -> int:
    require(text.isascii() and text.isdigit() and len(text) < 20, f"{text[:40]!r} is no number")
    require(str(int(text)) == text, f"{text} begins with a zero")
    return int(text)


def _hash(text: str) -> bytes:
    data = b64decode(text, validate=True)
    require(len(data) == 32 and b64encode(data).decode() == text, f"'{text[:60]}' is no SHA-256 in base64")
    return data
