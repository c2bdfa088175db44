"""What waits, since when, and whether it ended in time.

A fault may hold up anything for as long as it lasts. Behind it the clock runs: whatever waits for longer than
its bound in a stretch of time without faults is late, whether the run goes on to other faults or ends.
A stretch shorter than the bound proves nothing, so a run ends with one that is long enough.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from tests.chaos.history import Answered, Arrived, FaultBegan, FaultEnded, HandedIn, Heard, Line, Settled
from tests.checker.client_rules import is_acknowledged
from tests.checker.journal import Journal
from tests.checker.observations import Observations, ReceiptWords
from tests.checker.spool_rules import behind
from tests.checker.violation import Rule, Violation

DECIDED_SECONDS = 90.0
"""From the acknowledgement of a letter until its sender knows the exchange's decision: an agent's longest wait for
a broker (15 s), a router's for a zombie's transaction (11 s), an agent's for an answer before it asks again (30 s),
and as much again for what is done behind that."""
ARRIVED_SECONDS = 120.0
"""From the acknowledgement of a letter until each recipient sees it: a decision and another agent's wait."""
HEARD_SECONDS = 180.0
"""From the acknowledgement of an answer until the letter's sender hears it: as a letter, in reverse, when the
answer stands behind others."""
TRACKED_SECONDS = 90.0
"""From the last event until the tracker has read it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that was waited for; `until` is infinite while it still is. Times as in the histories."""

    what: str
    since: float
    until: float
    bound: float


def waits(history: Sequence[Line]) -> list[Wait]:
    """What clients waited for, and what they still wait for; letters that were refused wait for nobody."""
    settled: dict[tuple[str, str], Settled] = {}
    arrived: dict[tuple[str, str, str], Arrived] = {}
    messages: dict[tuple[str, bytes], Arrived] = {}
    heard: dict[tuple[str, str, str, str, str], float] = {}
    for line in history:
        if isinstance(line, Settled):
            settled.setdefault((line.body, line.message_id), line)
        elif isinstance(line, Arrived):
            arrived.setdefault((line.sender, line.message_id, line.body), line)
            messages.setdefault((line.body, line.letter), line)
        elif isinstance(line, Heard):
            heard.setdefault((line.body, line.message_id, line.actor, line.event, line.number), line.at)
    found: dict[str, Wait] = {}
    for line in history:
        if isinstance(line, HandedIn) and is_acknowledged(line):
            name = f"{line.body}: {line.message_id}"
            word = settled.get((line.body, line.message_id))
            decided = inf if word is None else word.at
            found.setdefault(f"{name} decided", Wait(f"{name} decided", line.at, decided, DECIDED_SECONDS))
            for recipient in line.recipients if word is None or word.state == "taken" else ():
                what = f"{name} arrived at {recipient}"
                there = arrived.get((line.body, line.message_id, recipient))
                end = inf if there is None else there.at
                found.setdefault(what, Wait(what, line.at, end, ARRIVED_SECONDS))
        elif isinstance(line, Answered) and is_acknowledged(line):
            what = answer_name(line)
            letter = messages.get((line.body, line.letter))
            key = (letter.sender, letter.message_id, line.body, line.event, line.number) if letter else None
            end = inf if key is None else heard.get(key, inf)
            found.setdefault(what, Wait(what, line.at, end, HEARD_SECONDS))
    return list(found.values())


def answer_name(line: Answered) -> str:
    """What is waited for after an answer."""
    said = f"{line.event} {line.number}".strip()
    return f"{line.body}: {said} of {line.letter.hex()} heard"


def quiet(history: Sequence[Line]) -> list[tuple[float, float]]:
    """Stretches of time without faults, by their begin and end; the last has no end unless a fault goes on."""
    began = [(line.at, 1) for line in history if isinstance(line, FaultBegan)]
    ended = [(line.at, -1) for line in history if isinstance(line, FaultEnded)]
    stretches, broken, since = [], 0, -inf
    for at, step in sorted([*began, *ended]):
        if broken == 0:
            stretches.append((since, at))
        broken += step
        since = at
    return [*stretches, (since, inf)] if broken == 0 else stretches


def is_late(wait: Wait, stretches: Sequence[tuple[float, float]], now: float) -> bool:
    """Whether it took longer than its bound in one stretch without faults, as of `now`."""
    end = min(wait.until, now)
    return any(min(end, last) - max(wait.since, first) > wait.bound for first, last in stretches)


def in_time(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """Whatever clients wait for, and whatever lies in spools, inboxes and the journal, is dealt with in time."""
    stretches = quiet(seen.history)
    refused = _refused_answers(journal, seen.history)
    for wait in [*waits(seen.history), *_unfinished(journal, seen)]:
        if is_late(wait, stretches, seen.at) and wait.what not in refused:
            took = "not yet" if wait.until == inf else f"{wait.until - wait.since:.0f} s"
            yield Violation(Rule.LATE, wait.what, f"{took}, bound {wait.bound:.0f} s without faults")


def _refused_answers(journal: Journal, history: Sequence[Line]) -> set[str]:
    """Answers that the exchange itself refused: their letter's sender does not hear them."""
    refused = set()
    for line in history:
        if isinstance(line, Answered):
            for said in journal.receipts.get((line.letter, line.body), ()):
                if said.reason and isinstance(said.words, ReceiptWords) and said.words.event == line.event:
                    refused.add(answer_name(line))
    return refused


def _unfinished(journal: Journal, seen: Observations) -> Iterator[Wait]:
    """What is not dealt with since anybody last did anything."""
    lasts = [line.at for line in seen.history if isinstance(line, HandedIn | Answered | Arrived | Heard)]
    if not lasts:
        return
    since = max(lasts)
    for body, spool in seen.spools.items():
        if unread := behind(body, spool, seen):
            yield Wait(f"{body}: {unread} records of the inbox", since, inf, ARRIVED_SECONDS)
        unsaid = sum(row.state in {"draft", "signed"} for row in spool.outgoing)
        if unsaid:
            yield Wait(f"{body}: {unsaid} things to be sent", since, inf, DECIDED_SECONDS)
    if seen.tracker is not None:
        for partition, entries in journal.partitions.items():
            position = seen.tracker.positions.get(partition)
            if position is None or position.offset < entries[-1].offset:
                yield Wait(f"tracker: journal/{partition}", since, inf, TRACKED_SECONDS)
