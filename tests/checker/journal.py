"""The journal, looked up: by lane, origin, statement and letter; and what every delivery comes to.

How a delivery's state follows from what was said of it is told here a second time, in other words than the
product's, so that both must be wrong in the same way to agree.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tests.checker.observations import DeliveryKey, Entry, LetterWords, OriginKey, ReceiptWords, Said, State

MOST_RECIPIENTS = 64
"""So many of a refused letter's recipients are kept."""

_STEPS = (
    ("accepted",),
    ("not-delivered",),
    ("delivered",),
    ("hand-over-failed",),
    ("handed-over",),
    ("registered",),
    ("executor-assigned", "progress"),
    ("reply-prepared",),
    ("reply-sent",),
    ("refused", "redirected"),
)
"""What a body can say of a letter, by how far it brings it; of equally far ones the first counts."""
_FAR = {event: far for far, events in enumerate(_STEPS) for event in events}
_NAMES = {"executor-assigned": "in-work", "progress": "in-work", "reply-sent": "answered"}
"""States that are not called like what leads to them."""
_EXCLUSIVE = {"registered", "refused", "redirected"}
"""Of these a delivery has one: what is said first."""


class Journal:
    """Entries of a journal, indexed. Where it contradicts itself the first word is kept; rules find the second."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Index entries; those of one partition come in its order."""
        self.lanes: dict[int, list[Entry]] = {}
        self.statements: dict[bytes, Entry] = {}
        self.records: dict[bytes, Entry] = {}
        self.partitions: dict[int, list[Entry]] = {}
        """Each in its own order."""
        self.origins: dict[OriginKey, list[Said]] = {}
        """Each in the order of its lane."""
        self.letters: dict[tuple[str, str], list[Said]] = {}
        """Decisions on letters by sender and message id."""
        self.receipts: dict[DeliveryKey, list[Said]] = {}
        """Decisions on receipts by letter and signer."""
        self.spoken: dict[str, list[Entry]] = {}
        """By body, in the order of its lane."""
        for entry in entries:
            self.lanes.setdefault(entry.lane, []).append(entry)
            self.partitions.setdefault(entry.partition, []).append(entry)
            self.records.setdefault(entry.value, entry)
        for chain in self.lanes.values():
            chain.sort(key=lambda entry: entry.number)
            for entry in chain:
                if entry.said is not None:
                    self._index(entry, entry.said)

    def _index(self, entry: Entry, said: Said) -> None:
        self.statements.setdefault(said.statement, entry)
        self.origins.setdefault(said.origin, []).append(said)
        self.spoken.setdefault(said.head.body, []).append(entry)
        if said.is_said_again:
            return
        if isinstance(said.words, LetterWords):
            self.letters.setdefault((said.head.body, said.words.message_id), []).append(said)
        elif isinstance(said.words, ReceiptWords):
            self.receipts.setdefault((said.words.letter, said.head.body), []).append(said)

    def accepted(self, statement: bytes) -> Said | None:
        """The statement with this digest, when it was accepted."""
        entry = self.statements.get(statement)
        return entry.said if entry is not None and entry.said is not None and not entry.said.reason else None

    def concerns(self, receipt: Entry) -> bool:
        """Whether a receipt stands behind the letter that it names, said by a recipient of it to its sender."""
        said = receipt.said
        if said is None or not isinstance(said.words, ReceiptWords):
            return False
        letter = self.statements.get(said.words.letter)
        if letter is None or letter.said is None or letter.said.reason:
            return False
        addressed = said.head.body in letter.said.copies and letter.said.head.body == said.words.sender
        return addressed and letter.partition == receipt.partition and letter.offset < receipt.offset

    def deliveries(self, ends: Mapping[int, int] | None = None) -> dict[DeliveryKey, State]:
        """Every delivery's state, as of the given last offset of each partition or of all."""
        events: defaultdict[DeliveryKey, list[ReceiptWords]] = defaultdict(list)
        rejected: dict[DeliveryKey, State] = {}
        for partition, entries in self.partitions.items():
            for entry in entries:
                if ends is None or entry.offset <= ends.get(partition, -1):
                    self._note(entry, events, rejected)
        return rejected | {key: _state(words) for key, words in events.items()}

    def _note(
        self, entry: Entry, events: defaultdict[DeliveryKey, list[ReceiptWords]], rejected: dict[DeliveryKey, State]
    ) -> None:
        said = entry.said
        if said is None:
            return
        if isinstance(said.words, LetterWords):
            if said.reason:
                named = said.words.recipients[:MOST_RECIPIENTS] or ("",)
                rejected.update(((said.statement, recipient), ("rejected", "")) for recipient in named)
            for recipient in said.copies:
                events[said.statement, recipient].append(ReceiptWords(said.statement, said.head.body, "accepted"))
        elif isinstance(said.words, ReceiptWords) and not said.reason and self.concerns(entry):
            events[said.words.letter, said.head.body].append(said.words)


def _state(told: Sequence[ReceiptWords]) -> State:
    """What a delivery comes to by what was said of it, in the journal's order."""
    ruling = next((words for words in told if words.event in _EXCLUSIVE), None)
    counting = [words for words in told if words.event in _FAR and (words.event not in _EXCLUSIVE or words is ruling)]
    furthest = max(counting, key=lambda words: _FAR[words.event])
    number = ruling.number if ruling is not None and ruling.event == "registered" else ""
    return _NAMES.get(furthest.event, furthest.event), number
