"""What a document system made of a case."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.conformance.cases import Case, Want
from exchange.agent.ports import DraftLetter, DraftReceipt, Format, Package
from exchange.domain.delivery import DECISIVE
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case; it conforms when there is no problem.

    Attributes:
        answers: the events that the system said about the letter, in their order.
    """

    case: str
    about: str
    want: str
    problems: tuple[str, ...]
    answers: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(slots=True)
class Judge:
    """Judges the cases of one run, in their order; remembers under which number a letter was registered."""

    fmt: Format
    directory: Directory
    _numbers: dict[str, str] = field(default_factory=dict)

    def read(self, written: Sequence[Package]) -> tuple[list[DraftLetter | DraftReceipt], list[str]]:
        """What the system wrote, and what of it is no document of the format."""
        understood: list[DraftLetter | DraftReceipt] = []
        problems = []
        for package in written:
            try:
                understood.append(self.fmt.parse(package, self.directory))
            except DocumentError as error:
                problems += [f"{package.name}: {fault} ({error.code})" for fault in (str(error), *error.others)]
        return understood, problems

    def answered(self, case: Case, written: Sequence[Package]) -> bool:
        """Whether what must come has come; what must not come is waited for to the end."""
        said = self._about(case, self.read(written)[0])
        return case.want in {Want.DECIDED, Want.ONCE} and any(receipt.event in DECISIVE for receipt in said)

    def judge(self, case: Case, written: Sequence[Package], failure: str, seconds: float) -> Result:
        """The result of a case.

        Args:
            case: what was handed over.
            written: what the system wrote since.
            failure: how its program ended, when that was a failure.
            seconds: how long that took.
        """
        understood, problems = self.read(written)
        said = self._about(case, understood)
        decided = [receipt for receipt in said if receipt.event in DECISIVE]
        if failure and case.want is not Want.NOT_TAKEN:
            problems.append(failure)
        match case.want:
            case Want.DECIDED:
                problems += self._undecided(decided) or _undocumented(decided)
                self._remember(case, decided)
            case Want.ONCE:
                problems += self._another(case, decided)
            case Want.NOT_TAKEN:
                problems += ["registered what is no letter" for each in decided if each.event is Event.REGISTERED][:1]
        events = tuple(receipt.event.value for receipt in said)
        return Result(case.name, case.about, case.want.value, tuple(problems), events, seconds)

    def _about(self, case: Case, understood: Sequence[DraftLetter | DraftReceipt]) -> list[DraftReceipt]:
        """Receipts about the case's letter: a quittance names the message, a notice the document."""
        receipts = [each for each in understood if isinstance(each, DraftReceipt)]
        return [
            each
            for each in receipts
            if (each.card.message_id or case.message_id) == case.message_id
            and (each.card.document_id or case.document_id) == case.document_id
        ]

    def _undecided(self, decided: Sequence[DraftReceipt]) -> list[str]:
        if decided:
            return []
        step = "a notice names the document's id, a quittance the message's: see the format's page"
        return [f"neither registered nor refused under the letter's ids: {step}"]

    def _another(self, case: Case, decided: Sequence[DraftReceipt]) -> list[str]:
        before = self._numbers.get(case.message_id, "")
        numbers = {receipt.card.reg_number for receipt in decided if receipt.event is Event.REGISTERED}
        return [f"registered again, under {number}" for number in sorted(numbers - {before})]

    def _remember(self, case: Case, decided: Sequence[DraftReceipt]) -> None:
        for receipt in decided:
            if receipt.event is Event.REGISTERED:
                self._numbers[case.message_id] = receipt.card.reg_number


def _undocumented(decided: Sequence[DraftReceipt]) -> list[str]:
    problems = []
    for receipt in decided:
        card = receipt.card
        if receipt.event is Event.REGISTERED and not (card.reg_number and card.reg_date):
            problems.append("registered without number or date")
        if receipt.event is Event.REFUSED and not card.reason_text:
            problems.append("refused without a reason")
    return problems
