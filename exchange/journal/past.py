"""The one past that the directory has, as far as a journal tells it (rules 3.2, 5.3).

A version names the digest of the version before it. So whatever is proven fixes, for every reader alike,
which the versions before it were, as far back as their snapshots were journalled. Two digests of one number
mean that those who sign the directory showed different ones to different readers.
"""

from dataclasses import dataclass

from tuf.api.metadata import Snapshot

from exchange.security.directory.metadata import PREVIOUS_FIELD
from exchange.security.directory.version import Proven


@dataclass(frozen=True, slots=True)
class _Step:
    """What a snapshot says: which version it is, and the digest of the version before."""

    number: int
    previous: bytes


class Past:
    """A digest for each version's number, over all lanes of a journal."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._digests: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self._steps: dict[bytes, _Step] = {}
        self._roots: dict[int, int] = {}
        self._contradictions: list[str] = []

    def digest(self, number: int) -> bytes | None:
        """Of a version; None when nothing proven leads to it."""
        return self._digests.get(number)

    def note(self, digest: bytes, snapshot: Snapshot) -> None:
        """A snapshot was journalled; it counts once something proven leads to its digest."""
        self._steps[digest] = _Step(snapshot.version, _previous(snapshot))
        number = self._numbers.get(digest)
        if number is not None:
            self._follow(number, digest)

    def take(self, proven: Proven) -> None:
        """A version was proven, its snapshot noted before: it fixes its own number and those before it."""
        directory = proven.directory
        self._fix(directory.version, directory.digest)
        self._take_root(directory.version, proven.root)

    def contradictions(self) -> list[str]:
        """What was found since this was asked before; each names both sides."""
        found, self._contradictions = self._contradictions, []
        return found

    def _fix(self, number: int, digest: bytes) -> None:
        if self._is_new(number, digest):
            self._follow(number, digest)

    def _is_new(self, number: int, digest: bytes) -> bool:
        """Fix a number's digest; False when it was fixed before, to this one or, in contradiction, to another."""
        known = self._digests.setdefault(number, digest)
        if known != digest:
            self._contradictions.append(f"version {number} is {known.hex()} in one past, {digest.hex()} in another")
        elif digest not in self._numbers:
            self._numbers[digest] = number
            return True
        return False

    def _follow(self, number: int, digest: bytes) -> None:
        """Go back from a version that is fixed to the first one that is fixed already, or was not journalled."""
        while number > 1 and (step := self._steps.get(digest)) is not None:
            if step.number != number:
                self._contradictions.append(f"version {number} is {digest.hex()}, which says it is {step.number}")
                return
            number, digest = number - 1, step.previous
            if not self._is_new(number, digest):
                return

    def _take_root(self, version: int, root: int) -> None:
        """A later version is never signed under an earlier root."""
        for other, under in self._roots.items():
            if (other < version and under > root) or (other > version and under < root):
                detail = f"version {version} is signed under root {root}, version {other} under root {under}"
                self._contradictions.append(detail)
                break
        self._roots[version] = root


def _previous(snapshot: Snapshot) -> bytes:
    """Empty when it is no digest, and so no version's: what leads there contradicts every other past."""
    value = snapshot.unrecognized_fields.get(PREVIOUS_FIELD)
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return b""
