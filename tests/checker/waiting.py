"""What waits, since when, and whether it ended in time.

A fault may hold up anything for as long as it lasts. Behind it the clock runs: whatever waits for longer than
its bound in a stretch of time without faults is late, whether the run goes on to other faults or ends.
A stretch shorter than the bound proves nothing, so a run ends with one that is long enough.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from tests.chaos.history import Answered, Arrived, FaultBegan, FaultEnded, Forgotten, HandedIn, Heard, Line, Settled
from tests.checker.client_rules import Message, is_acknowledged
from tests.checker.journal import Journal
from tests.checker.observations import Observations, ReceiptWords
from tests.checker.spool_rules import behind
from tests.checker.violation import Rule, Violation

DECIDED_SECONDS = 180.0
"""From the acknowledgement of a letter until its sender knows the exchange's decision: an agent's longest wait for
a broker (15 s), a router's for a zombie's transaction (11 s), an agent's for an answer before it asks again (30 s),
and twice as much again for what is done behind that, on a machine with other work."""
ARRIVED_SECONDS = 240.0
"""From the acknowledgement of a letter until each recipient sees it: a decision and another agent's wait."""
HEARD_SECONDS = 300.0
"""From the acknowledgement of an answer until the letter's sender hears it: as a letter, in reverse, when the
answer stands behind others."""
TRACKED_SECONDS = 180.0
"""From the last event until the tracker has read it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that was waited for; `until` is infinite while it still is. Times as in the histories."""

    what: str
    since: float
    until: float
    bound: float


def waits(history: Sequence[Line]) -> list[Wait]:
    """What clients waited for, and what they still wait for; none for what was refused or forgotten."""
    told = _Told(history)
    found: dict[str, Wait] = {}
    for line in history:
        if isinstance(line, HandedIn | Answered) and is_acknowledged(line):
            for wait in told.after(line):
                found.setdefault(wait.what, wait)
    return list(found.values())


class _Told:
    """When clients were first told what."""

    def __init__(self, history: Sequence[Line]) -> None:
        self._settled: dict[Message, Settled] = {}
        self._arrived: dict[tuple[Message, str], float] = {}
        self._messages: dict[tuple[str, bytes], Message] = {}
        self._heard: dict[tuple[Message, str, str, str], float] = {}
        self._forgotten: set[Message] = set()
        for line in history:
            if isinstance(line, Settled):
                self._settled.setdefault((line.body, line.message_id), line)
            elif isinstance(line, Arrived):
                message = (line.sender, line.message_id)
                self._arrived.setdefault((message, line.body), line.at)
                self._messages[line.body, line.letter] = message
            elif isinstance(line, Heard):
                self._heard.setdefault(((line.body, line.message_id), line.actor, line.event, line.number), line.at)
            elif isinstance(line, Forgotten):
                self._forgotten.add((line.body, line.message_id))

    def after(self, line: HandedIn | Answered) -> Iterator[Wait]:
        """What is waited for after something was acknowledged."""
        if isinstance(line, Answered):
            message = self._messages.get((line.body, line.letter))
            if message not in self._forgotten:
                heard = inf if message is None else self._heard.get((message, line.body, line.event, line.number), inf)
                yield Wait(answer_name(line), line.at, heard, HEARD_SECONDS)
            return
        message = (line.body, line.message_id)
        name, word = f"{line.body}: {line.message_id}", self._settled.get(message)
        if word is None and message in self._forgotten:
            return
        yield Wait(f"{name} decided", line.at, inf if word is None else word.at, DECIDED_SECONDS)
        for recipient in line.recipients if word is None or word.state == "taken" else ():
            arrived = self._arrived.get((message, recipient), inf)
            yield Wait(f"{name} arrived at {recipient}", line.at, arrived, ARRIVED_SECONDS)


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


def unfinished(seen: Observations) -> list[Wait]:
    """Whatever still waits: for clients, and in spools, inboxes and the journal. A run is over when nothing does."""
    journal = Journal(seen.entries)
    refused = _refused_answers(journal, seen.history)
    every = [*waits(seen.history), *_unfinished(journal, seen)]
    return [wait for wait in every if wait.until == inf and wait.what not in refused]


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
            # Lanes tick while nothing happens: there is always one that it has not read yet.
            told = [entry.offset for entry in entries if not entry.is_tick]
            position = seen.tracker.positions.get(partition)
            if told and (position is None or position.offset < told[-1]):
                yield Wait(f"tracker: journal/{partition}", since, inf, TRACKED_SECONDS)
