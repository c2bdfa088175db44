"""What a run looked like, for people."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.history import Arrived, FaultBegan, HandedIn, Heard, Line, Outcome, Settled
from tests.chaos.keeper import End
from tests.chaos.nemesis import Fault

SHOWN_REASONS = 4


def summary(history: Sequence[Line], ends: Sequence[End], faults: Sequence[Fault]) -> Iterator[str]:
    """Lines: traffic, faults by family, retries, the longest silence, restarts by role with their reasons."""
    counts = Counter(type(line).__name__ for line in history)
    settled = Counter(line.state for line in history if isinstance(line, Settled))
    handed_in = Counter(line.outcome for line in history if isinstance(line, HandedIn))
    retries = handed_in[Outcome.REFUSED] + handed_in[Outcome.UNKNOWN]
    yield f"letters handed in {handed_in[Outcome.ACKNOWLEDGED]}, arrived {counts['Arrived']}, {_listed(settled)}"
    yield f"answers {counts['Answered']}, receipts heard {counts['Heard']}, letters handed in again {retries}"
    families = {fault.name: fault.family for fault in faults}
    broken = Counter(families[line.name] for line in history if isinstance(line, FaultBegan))
    yield f"faults {broken.total()}: {_listed(broken)}"
    yield _longest_silence(history)
    yield from _restarts(ends)


def _longest_silence(history: Sequence[Line]) -> str:
    """The longest time in which no client was told anything, and what had been broken last by then."""
    told = [line.at for line in history if isinstance(line, Settled | Arrived | Heard)]
    if len(told) < 2:
        return "no client was told anything"
    seconds, since = max((later - earlier, earlier) for earlier, later in pairwise(told))
    began = [line for line in history if isinstance(line, FaultBegan) and line.at < since + seconds]
    after = f", after fault {began[-1].number}: {began[-1].name}, {began[-1].target}" if began else ""
    return f"longest silence {seconds:.1f} s{after}"


def _restarts(ends: Sequence[End]) -> Iterator[str]:
    for role in sorted({end.server.role for end in ends}):
        own = [end for end in ends if end.server.role is role]
        reasons = Counter(end.why or "says nothing" for end in own if not end.wanted)
        wanted = sum(end.wanted for end in own)
        yield f"{role.value} ended {len(own)} times, {wanted} of them by the nemesis"
        for why, count in reasons.most_common(SHOWN_REASONS):
            yield f"    {count} × {why}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
