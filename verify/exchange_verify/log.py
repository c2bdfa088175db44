"""The transparency log: that an entry is in it (RFC 6962, twice), and who says so (C2SP signed notes, witnesses).

An entry leads to its partition's root, which stands in a leaf of the log of heads, which leads to the checkpoint's.
"""

import re
from base64 import b64decode, b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange_verify.errors import require

Key = tuple[str, bytes, Ed25519PublicKey]  # its holder's name, what stands before each of its signatures, itself
Checkpoint = tuple[str, int, bytes, set[str]]  # the text, the log's size and root in it, which witnesses cosigned it


class Policy:
    """Whose word about the log counts: its key, witnesses, groups of so many of some, and the quorum."""

    def __init__(self, text: str) -> None:
        """Read a policy, in the form that docs/auditor.md shows."""
        lines = [words for words in (line.partition("#")[0].split() for line in text.splitlines()) if words]
        (self._log,) = (_key(words[1], 1) for words in lines if words[0] == "log")
        (self._quorum,) = (words[1] for words in lines if words[0] == "quorum")
        self.log_name, self._witnesses = self._log[0], dict[str, Key]()
        # Of each group so many members are enough; a witness is a group of itself.
        self._groups = dict[str, tuple[int, set[str]]]()
        for word, name, *rest in lines:
            require(word in {"log", "quorum", "witness", "group"}, f"'{word}' is none of log, witness, group, quorum")
            require(word in {"log", "quorum"} or name not in {*self._groups, "none"}, f"'{name}' is named twice")
            if word == "witness":
                self._witnesses[name], self._groups[name] = _key(rest[0], 4), (1, {name})
            elif word == "group":
                number = {"any": 1, "all": len(rest) - 1}.get(rest[0]) or int(rest[0])
                members = {*rest[1:]} & self._groups.keys()
                fits = 1 <= number <= len(members) == len(rest) - 1
                require(fits, f"group {name} does not name so many different ones of the lines before")
                self._groups[name] = number, members
        keys = {key.public_bytes_raw() for *_, key in self._witnesses.values()}
        require(len(keys) == len(self._witnesses), "one key is two witnesses")

    def open(self, note: bytes) -> Checkpoint:
        """A checkpoint by the log that enough witnesses cosigned."""
        text, _, lines = note.decode().rpartition("\n\n")
        require(lines.endswith("\n"), "the checkpoint is no signed note")
        text, signed, cosigned = f"{text}\n", False, set[str]()
        for line in lines[:-1].split("\n"):
            dash, name, encoded = line.split(" ")
            require(dash == "\u2014", "the checkpoint has odd signatures")
            by, value = (name, _base64(encoded)[:4]), _base64(encoded)[4:]
            if by == self._log[:2]:
                self._log[2].verify(value, text.encode())
                signed = True
            for witness in (each for each, key in self._witnesses.items() if by == key[:2]):
                cosignature = f"cosignature/v1\ntime {int.from_bytes(value[:8], 'big')}\n{text}"
                self._witnesses[witness][2].verify(value[8:], cosignature.encode())
                cosigned.add(witness)
        name, size, root, _ = text.split("\n")
        require(signed and name == self.log_name, f"the checkpoint is not signed by {self.log_name}")
        enough = {*cosigned, "none"}
        for name, (number, members) in self._groups.items():  # members stand in lines before
            enough |= {name} if len(members & enough) >= number else set()
        require(self._quorum in enough, f"{len(cosigned)} witnesses cosigned, too few for '{self._quorum}'")
        return text, _number(size), _base64(root, 32), cosigned


def verify(proof: bytes, entry: bytes, policy: Policy) -> tuple[int, int, Checkpoint]:
    """Partition and index at which a proof shows an entry to be, and the checkpoint that says so."""
    first, heads, second, note = proof.split(b"\n\n", 3)
    title, place, *path = first.decode("ascii").split("\n")
    word, partition, index = place.split(" ")
    at, *above = second.decode("ascii").split("\n")
    require((title, word, at[:6]) == ("exchange-proof/v1", "log", "heads "), "it is no exchange-proof/v1")
    checkpoint, leaf = policy.open(note), heads + b"\n"
    _require_root(*_heads(leaf)[_number(partition)], entry, _number(index), path)
    _require_root(*checkpoint[1:3], leaf, _number(at[6:]), above)
    return _number(partition), _number(index), checkpoint


def _key(text: str, kind: int) -> Key:
    """Read `NAME+ID+KEY`; of kind 1 it signs notes, of kind 4 it cosigns checkpoints."""
    name, stated, encoded = text.split("+", 2)
    data = _base64(encoded, 33)
    own = sha256(f"{name}\n".encode() + data).digest()[:4]
    require((own.hex(), data[0]) == (stated, kind), f"{text} is no key of that kind")
    return name, own, Ed25519PublicKey.from_public_bytes(data[1:])


def _heads(leaf: bytes) -> list[tuple[int, bytes]]:
    """Of each partition's log size and root, by a leaf of the log of heads."""
    title, time, *lines, _ = leaf.decode("ascii").split("\n")
    require((title, time[:5]) == ("exchange-heads/v1", "time ") and _number(time[5:]) > 0, "odd heads")
    logs = [line.split(" ") for line in lines if not (line is lines[-1] and line.startswith("after "))]
    require(all((each[0], each[1]) == ("log", str(at)) for at, each in enumerate(logs)), "the heads leave logs out")
    return [(_number(size), _base64(root, 32)) for _, _, size, root in logs]


def _require_root(size: int, root: bytes, leaf: bytes, index: int, path: list[str]) -> None:
    """RFC 9162, 2.1.3.2: the path from the leaf leads to the root, and to no other."""
    require(index < size, f"there is no entry {index} in a log of {size}")
    at, last, found = index, size - 1, sha256(b"\0" + leaf).digest()
    for text in path:
        require(last, "the proof is too long")
        while at == last and not at % 2:
            at, last = at >> 1, last >> 1
        beside = _base64(text, 32)
        found = sha256(b"\1" + (beside + found if at % 2 else found + beside)).digest()
        at, last = at >> 1, last >> 1
    require(not last and found == root, "it leads to another root than the one that is signed")


def _number(text: str) -> int:
    require(re.fullmatch("0|[1-9][0-9]{0,18}", text), f"{text[:40]!r} is no number")
    return int(text)


def _base64(text: str, size: int | None = None) -> bytes:
    data = b64decode(text, validate=True)
    require(b64encode(data).decode() == text and size in {None, len(data)}, f"'{text[:60]}' is not what is due")
    return data
