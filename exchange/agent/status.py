"""What an agent tells about itself: counts for metrics, and what each body waits for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from exchange.agent.spool.witnessed import Coverage

Labels = tuple[tuple[str, str], ...]


class Counters:
    """Counts since the start, by name and labels; a metrics endpoint reads them.

    Names are those of the product's metrics without the `exchange_` prefix; labels are bounded
    (body, kind, outcome, reason), never ids.
    """

    def __init__(self) -> None:
        """All zero."""
        self._counts: Counter[tuple[str, Labels]] = Counter()

    def add(self, name: str, amount: int = 1, **labels: str) -> None:
        """Count something that happened."""
        self._counts[name, tuple(sorted(labels.items()))] += amount

    def read(self) -> Mapping[tuple[str, Labels], int]:
        """A copy of all counts."""
        return dict(self._counts)


@dataclass(frozen=True, slots=True)
class Failure:
    """The last error of a body: `at` says when."""

    code: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BodyStatus:
    """Where one body stands.

    Attributes:
        ready: its inbox was read to the end, so it may sign.
        halted: nothing more is sent before a person has acted and the agent was started again.
        waits_for: codes of what it waits for, sorted: `inbox` (reading to the end), `notice` (sent,
            nothing heard), the reason code of a trouble (e.g. `over-budget`), or an error's code
            (e.g. `bus-unavailable`, `spool-full`, `edms-unavailable`).
        drafts: said, without a number yet.
        unproven: sent or to be sent, not proven taken.
        oldest: when the oldest of both was said.
        to_hand_over: arrived, not handed over yet.
        oldest_arrival: when the oldest of these arrived.
        last_seen: when the inbox was last read.
        failure: the last error, None since it passed.
        coverage: how it stands to the transparency log; None where nobody reads that.
    """

    body: str
    ready: bool
    halted: bool
    waits_for: tuple[str, ...]
    drafts: int
    unproven: int
    oldest: datetime | None
    to_hand_over: int
    oldest_arrival: datetime | None
    last_seen: datetime | None
    failure: Failure | None
    coverage: Coverage | None = None


@dataclass(slots=True)
class Waits:
    """What a body waits for, each named by the part that waits; shared by the parts of an agent.

    `last_seen` is when its inbox was last read.
    """

    reasons: dict[str, Failure] = field(default_factory=dict)
    last_seen: datetime | None = None

    def on(self, part: str, code: str, message: str, at: datetime) -> None:
        """`part` waits because of `code`; says it once more when it waits longer."""
        self.reasons[part] = Failure(code, message, at)

    def over(self, part: str) -> None:
        """`part` goes on."""
        self.reasons.pop(part, None)

    @property
    def latest(self) -> Failure | None:
        """The newest reason."""
        return max(self.reasons.values(), key=lambda failure: failure.at, default=None)
