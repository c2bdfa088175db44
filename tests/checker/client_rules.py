"""What clients were told: nothing acknowledged is lost, nothing is handed over twice, nobody is told a lie."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.history import Answered, Arrived, Forgotten, HandedIn, Heard, Outcome, Settled
from tests.checker.journal import Journal
from tests.checker.observations import LetterWords, Observations, Outgoing, ReceiptWords, Said
from tests.checker.violation import Rule, Violation

REPEATED = "message-id-repeated"
"""How a letter is refused that was taken before: says that it is there."""

Message = tuple[str, str]
"""A letter by its sender and the sender's id of it."""


def is_acknowledged(line: HandedIn | Answered) -> bool:
    """Whether this line says that the exchange has it."""
    return line.outcome is Outcome.ACKNOWLEDGED or (line.outcome is Outcome.REFUSED and line.code == REPEATED)


def letters(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """What was acknowledged is decided or still on its way; what was refused is neither; nothing is decided twice."""
    tries: defaultdict[Message, list[HandedIn]] = defaultdict(list)
    for line in seen.history:
        if isinstance(line, HandedIn):
            tries[line.body, line.message_id].append(line)
    left = {
        (body, row.words.message_id)
        for body, spool in seen.spools.items()
        for row in spool.outgoing
        if isinstance(row.words, LetterWords)
    }
    excused = {(line.body, line.message_id) for line in seen.history if isinstance(line, Forgotten)}
    for message, lines in tries.items():
        decided = journal.letters.get(message, [])
        kept = message in left or message in excused or message[0] not in seen.spools
        yield from _letter(message, lines, decided, is_kept=kept, is_left=message in left)
    for message, decided in journal.letters.items():
        if len(decided) > 1 and (message[0] in seen.spools or message in tries):
            yield Violation(Rule.LETTER_TWICE, _name(message), f"decided {len(decided)} times")


def _letter(
    message: Message, lines: Sequence[HandedIn], decided: Sequence[Said], *, is_kept: bool, is_left: bool
) -> Iterator[Violation]:
    if any(map(is_acknowledged, lines)):
        if not decided and not is_kept:
            yield Violation(Rule.LETTER_LOST, _name(message), "neither in the journal nor in the sender's spool")
        for said in decided:
            if isinstance(said.words, LetterWords) and said.words.recipients != lines[0].recipients:
                yield Violation(Rule.LETTER_LOST, _name(message), f"decided for {said.words.recipients}")
    elif all(line.outcome is Outcome.REFUSED for line in lines) and (decided or is_left):
        yield Violation(Rule.REFUSED_YET_TAKEN, _name(message), lines[-1].code)


def answers(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """An answer that was acknowledged is decided, or still in the spool."""
    left = {body: _receipts(spool.outgoing) for body, spool in seen.spools.items()}
    for line in seen.history:
        if isinstance(line, Answered) and is_acknowledged(line) and line.body in left:
            answer = (line.letter, line.event, line.number)
            said = journal.receipts.get((line.letter, line.body), ())
            if answer not in left[line.body] and answer not in map(_answer, said):
                place = f"{line.body}: {line.event} {line.number} of {line.letter.hex()}"
                yield Violation(Rule.ANSWER_LOST, place, "neither in the journal nor in the spool")


def told(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """What a sender is told of its letters is so: the exchange's decisions, and what recipients say."""
    heard: Counter[tuple[Message, str, str, str]] = Counter()
    for line in seen.history:
        if isinstance(line, Settled):
            yield from _settled(journal, line)
        elif isinstance(line, Heard):
            heard[(line.body, line.message_id), line.actor, line.event, line.number] += 1
    for (message, actor, event, number), count in heard.items():
        letters_said = [said for said in journal.letters.get(message, ()) if actor in said.copies]
        said = sum(
            (event, number) == _answer(receipt)[1:] and not receipt.reason
            for letter in letters_said
            for receipt in journal.receipts.get((letter.statement, actor), ())
        )
        if count > said:
            detail = f"{event} {number} of {actor} heard {count} times, said {said} times"
            yield Violation(Rule.HEARD_UNSAID, _name(message), detail)


def _settled(journal: Journal, line: Settled) -> Iterator[Violation]:
    entry = journal.statements.get(line.letter)
    said = None if entry is None else entry.said
    is_so = {
        "taken": said is not None and not said.reason,
        "refused": said is not None and bool(said.reason) and said.reason == line.code,
        "void": said is None,
    }
    if not is_so.get(line.state, False):
        what = "nothing" if said is None else said.reason or "accepted"
        detail = f"told {line.state} {line.code}, the journal says {what}"
        yield Violation(Rule.TOLD_OTHERWISE, f"{line.body}: {line.message_id}", detail)


def handed(journal: Journal, seen: Observations) -> Iterator[Violation]:
    """A body sees each letter once, those of an origin in its order, and none that was not sent to it."""
    arrived: defaultdict[str, list[Arrived]] = defaultdict(list)
    for line in seen.history:
        if isinstance(line, Arrived):
            arrived[line.body].append(line)
    for body, lines in arrived.items():
        yield from _handed_to(journal, body, sorted(lines, key=lambda line: line.place))


def _handed_to(journal: Journal, body: str, lines: Sequence[Arrived]) -> Iterator[Violation]:
    seen: set[bytes] = set()
    last: dict[tuple[str, bytes], int] = {}
    for line in lines:
        place = f"{body}: {line.message_id} of {line.sender}"
        if line.letter in seen:
            yield Violation(Rule.HANDED_TWICE, place, f"again as number {line.place}")
            continue
        seen.add(line.letter)
        said = journal.accepted(line.letter)
        if said is None or not isinstance(said.words, LetterWords) or body not in said.copies:
            yield Violation(Rule.HANDED_UNEXPLAINED, place, "the journal has no such letter for it")
            continue
        if (said.head.body, said.words.message_id) != (line.sender, line.message_id):
            yield Violation(Rule.HANDED_UNEXPLAINED, place, f"is {said.words.message_id} of {said.head.body}")
        if said.head.number < last.get(said.origin, 0):
            yield Violation(Rule.ORDER, place, f"number {said.head.number} after {last[said.origin]}")
        last[said.origin] = said.head.number


def _receipts(rows: Sequence[Outgoing]) -> set[tuple[bytes, str, str]]:
    words = (row.words for row in rows if isinstance(row.words, ReceiptWords))
    return {(receipt.letter, receipt.event, receipt.number) for receipt in words}


def _answer(said: Said) -> tuple[bytes, str, str]:
    """Letter, event and number of a decided receipt."""
    words = said.words
    return (words.letter, words.event, words.number) if isinstance(words, ReceiptWords) else (b"", "", "")


def _name(message: Message) -> str:
    return f"{message[0]}: {message[1]}"
