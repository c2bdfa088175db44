"""What an archive answers where there is no file to hand out: JSON, page by page."""

from typing import Annotated

import msgspec
from msgspec import Meta

PAGE = 1000
"""So many on one page."""
ANSWER_BYTES = 256 * 1024
"""No answer is longer."""
_Number = Annotated[int, Meta(ge=0, le=2**53)]


class PlaceAnswer(msgspec.Struct, frozen=True):
    """Where an entry is said to be; `journalled` in microseconds since 1970, which nobody signed."""

    partition: _Number
    index: _Number
    offset: _Number
    journalled: _Number


class PlacesAnswer(msgspec.Struct, frozen=True):
    """Entries about a letter, its own first; `more`: ask again with `after` the number of those that came."""

    places: list[PlaceAnswer]
    more: bool

    def behind(self, after: int) -> int:
        """What the next page is asked for with, if this one was asked for with `after`."""
        return after + len(self.places)


class StampedAnswer(msgspec.Struct, frozen=True):
    """Sizes of checkpoints that are stamped, growing; `more`: ask again with `after` the last."""

    sizes: list[_Number]
    more: bool

    def behind(self, after: int) -> int:
        """As of places."""
        return max(self.sizes, default=after)
