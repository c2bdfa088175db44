"""One JSON object per line: bench, value, unit, ratio, against."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value.

    Attributes:
        bench: what was measured.
        value: how much.
        unit: of what, e.g. `letters/s`.
        ratio: value divided by that of `against`, None where there is no peer.
        against: the peer or raw limit, measured in the same run.
    """

    bench: str
    value: float
    unit: str
    ratio: float | None = None
    against: str | None = None


def report(figure: Figure) -> None:
    """Print a figure as one line."""
    line = {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(figure).items()}
    print(json.dumps(line), flush=True)
