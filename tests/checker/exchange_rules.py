"""What the exchange itself wrote: chains, decisions, inboxes, notices, and where the next router goes on."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from exchange.domain.ids import ZERO_DIGEST
from tests.checker.journal import Journal
from tests.checker.observations import Entry, Observations, OriginKey, Said, last_digest
from tests.checker.violation import Rule, Violation


def chains(journal: Journal, _: Observations) -> Iterator[Violation]:
    """Every lane's entries, and every origin's statements, follow one another without a gap."""
    for lane, entries in journal.lanes.items():
        yield from _lane(f"lane {lane}", entries)
    for key, chain in journal.origins.items():
        yield from _origin(_name(key), chain)


def _lane(place: str, entries: Sequence[Entry]) -> Iterator[Violation]:
    number, digest, offset = 0, ZERO_DIGEST, -1
    for entry in entries:
        if (entry.number, entry.previous) != (number + 1, digest):
            what = "names another entry before it" if entry.number == number + 1 else f"comes after {number}"
            yield Violation(Rule.LANE_CHAIN, f"{place} number {entry.number}", what)
        number, digest = entry.number, entry.digest
        if entry.said is not None:
            if entry.said.offset < offset:
                detail = f"submission {entry.said.offset} after {offset}"
                yield Violation(Rule.LANE_CHAIN, f"{place} number {entry.number}", detail)
            offset = entry.said.offset


def _origin(place: str, chain: Sequence[Said]) -> Iterator[Violation]:
    number, digest = 0, ZERO_DIGEST
    for said in chain:
        if (said.head.number, said.head.previous) != (number + 1, digest):
            yield Violation(Rule.ORIGIN_CHAIN, f"{place} number {said.head.number}", f"after {number}")
        number, digest = said.head.number, said.statement


def decided_once(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """No statement is decided twice, and no submission is decided or dead-lettered twice."""
    statements = Counter(
        entry.said.statement for entries in journal.lanes.values() for entry in entries if entry.said is not None
    )
    yield from (
        Violation(Rule.DECIDED_TWICE, f"statement {statement.hex()}", f"{count} times")
        for statement, count in statements.items()
        if count > 1
    )
    submissions = Counter(
        (entry.lane, entry.said.offset)
        for entries in journal.lanes.values()
        for entry in entries
        if entry.said is not None
    )
    submissions.update((dead.partition, dead.offset) for dead in seen.dead)
    yield from (
        Violation(Rule.DECIDED_TWICE, f"submission {lane}/{offset}", f"{count} times")
        for (lane, offset), count in submissions.items()
        if count > 1
    )


def stored(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """Routers' successors go on from where lanes and origins ended."""
    for lane in journal.lanes.keys() | seen.lanes.keys():
        entries, state = journal.lanes.get(lane, []), seen.lanes.get(lane)
        kept = (state.number, state.digest) if state else (0, ZERO_DIGEST)
        ended = (0, ZERO_DIGEST)
        for entry in reversed(entries):
            ended = (entry.number, entry.digest)
            if ended == kept or not entry.is_tick:
                break  # lanes tick while nothing happens: the journal is read a little later than what they stored
        if ended != kept:
            yield Violation(Rule.SEQUENCES, f"lane {lane}", f"ended with {ended[0]}, stored is {kept[0]}")
    for key in journal.origins.keys() | seen.origins.keys():
        chain, origin = journal.origins.get(key, []), seen.origins.get(key)
        told = (origin.number, origin.digest) if origin else (0, ZERO_DIGEST)
        if (len(chain), last_digest(chain)) != told:
            yield Violation(Rule.SEQUENCES, _name(key), f"{len(chain)} taken, stored is {told[0]}")


def copies(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """Each recipient's inbox has what was accepted for it: once, in order, and nothing else."""
    due: defaultdict[str, list[Entry]] = defaultdict(list)
    for chain in journal.lanes.values():
        for entry in chain:
            for body in entry.said.copies if entry.said is not None else ():
                due[body].append(entry)
    for body in (due.keys() | seen.inboxes.keys()) - seen.spoilt:
        came = Counter(record.value for record in seen.inboxes.get(body, ()) if record.notice is None)
        expected = {entry.value: entry for entry in due[body]}
        for value, entry in expected.items():
            if value not in came:
                yield Violation(Rule.INBOX_MISSING, body, _entry(entry))
        for value, count in came.items():
            if value not in expected:
                yield Violation(Rule.INBOX_UNEXPLAINED, body, f"record {value.hex()}")
            elif count > 1:
                yield Violation(Rule.INBOX_DOUBLED, body, f"{_entry(expected[value])}: {count} times")
        yield from _in_order(body, [expected[value] for value in came if value in expected])


def _in_order(body: str, came: Sequence[Entry]) -> Iterator[Violation]:
    last: dict[int, int] = {}
    for entry in came:
        if entry.number < last.get(entry.lane, 0):
            yield Violation(Rule.INBOX_ORDER, body, f"{_entry(entry)} after number {last[entry.lane]}")
        last[entry.lane] = entry.number


def notices(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """What each origin was told, put together, is what the journal says of it."""
    told: defaultdict[OriginKey, list[tuple[bytes, str]]] = defaultdict(list)
    for body, records in seen.inboxes.items():
        for notice in (record.notice for record in records if record.notice is not None):
            words = told[body, notice.origin]
            words += [(step.digest, step.reason) for step in notice.steps]
            if (notice.number, notice.digest) != (len(words), words[-1][0] if words else ZERO_DIGEST):
                place = _name((body, notice.origin))
                yield Violation(Rule.NOTICE, place, f"says number {notice.number} after {len(words)} steps")
    for key in told.keys() | journal.origins.keys():
        taken = [(said.statement, said.reason) for said in journal.origins.get(key, ())]
        if told[key] != taken and key[0] not in seen.spoilt:
            yield Violation(Rule.NOTICE, _name(key), f"{len(taken)} taken, told otherwise: {len(told[key])}")


def _name(key: OriginKey) -> str:
    return f"{key[0]}/{key[1].hex()}"


def _entry(entry: Entry) -> str:
    return f"lane {entry.lane} number {entry.number}"
