"""The directory's one past: whatever is told in whatever order, a contradiction is found and names both sides."""

import dataclasses
import itertools
from pathlib import Path

from exchange.journal.past import Past
from exchange.security.directory.version import Proven
from tests.world import World


def test_a_later_version_is_under_no_earlier_root(tmp_path: Path) -> None:
    """In whatever order they are proven."""
    first = World(tmp_path).directory
    versions = [dataclasses.replace(first, version=number, digest=bytes([number] * 32)) for number in (1, 2, 3)]
    for roots, sound in (((1, 1, 2), True), ((1, 2, 1), False)):
        proven = [Proven(version, root, {}) for version, root in zip(versions, roots, strict=True)]
        for order in itertools.permutations(proven):
            past = Past()
            for each in order:
                past.take(each)
            found = past.contradictions()
            assert found == [] if sound else "root 1" in found[0]
            assert past.contradictions() == [], "each is told once"
