"""How much the agent takes into memory at once: letters have up to a megabyte each, bodies may be many."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

BYTES_AT_ONCE = 2 * 1024 * 1024
"""Of letters in one step: a batch that is sent, a round of packages or of hand-overs."""


def up_to(limit: int, items: Iterable[Item], size: Callable[[Item], int]) -> Iterator[Item]:
    """The first of `items`, then more until together they have `limit` bytes; the rest is not even asked for."""
    total = 0
    for item in items:
        yield item
        total += size(item)
        if total >= limit:
            return
