"""Which changes somebody is told."""

from dataclasses import dataclass, field

from exchange.domain.delivery import State
from exchange.store.lists import DeliveryFilter
from exchange.store.overviews import Change
from exchange.store.queries.deliveries import states_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter of deliveries, for changes; equal ones are worked out once for all who have them.

    Attributes:
        filter: by what a delivery is since the change; its order plays no part.
        letters: digests that its text names; None without a text.
        states: that the filter leaves; None for any.
    """

    filter: DeliveryFilter
    letters: frozenset[bytes] | None = None
    states: frozenset[State] | None = field(init=False)

    def __post_init__(self) -> None:
        """Work out the states once: each change is asked about."""
        object.__setattr__(self, "states", states_of(self.filter))

    def takes(self, change: Change) -> bool:
        """Whether the change is wanted."""
        wanted = self.filter
        said = (
            (wanted.sender, change.sender),
            (wanted.recipient, change.recipient),
            (wanted.reason, change.reason),
            (wanted.kind, change.kind),
            (wanted.urgency, change.urgency),
            (wanted.late, change.late),
            (wanted.overdue, change.overdue),
        )
        return all(asked is None or asked == told for asked, told in said) and self._takes_rest(change)

    def _takes_rest(self, change: Change) -> bool:
        wanted = self.filter
        return (
            (wanted.body is None or wanted.body in {change.sender, change.recipient})
            and (self.states is None or change.state in self.states)
            and (wanted.moved is None or change.since >= wanted.moved)
            and (wanted.since is None or change.began >= wanted.since)
            and (wanted.until is None or change.began < wanted.until)
            and (self.letters is None or change.letter in self.letters)
        )
