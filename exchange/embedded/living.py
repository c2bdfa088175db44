"""Keeps a demo's letters moving, so that whoever looks at the console sees a working day with its troubles.

Letters go out all the time, document systems answer when they come to it, and three things go wrong, as
they do:

    a failing route   the statistics committee's document system loses what the foreign ministry sends it,
                      and says so; it is in order again by the time that somebody sends it once more
    a silent body     the agent of the state service's agency ends, and nobody starts it again
    a certificate     of the justice ministry has `EXPIRING_DAYS` left
"""

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from types import MappingProxyType

from exchange.agent.ports import DraftLetter
from exchange.domain.card import Person
from exchange.domain.event import Event
from exchange.domain.statement import LetterKind, Urgency
from exchange.embedded.edms import Answer, Notice, Reply, Sample, Script, StandInEdms
from exchange.embedded.installed import role_of
from exchange.embedded.roles import stop_roles
from exchange.embedded.story import Story
from exchange.embedded.story_script import EXECUTOR, REGISTERS

LETTER_SECONDS = 3.0
"""Mean time between two letters."""
DESK_SECONDS = MappingProxyType({"prezident": 3.0, "mfa": 5.0, "minekonom": 8.0, "minjust": 15.0, "ak-bulun": 25.0})
"""Mean time between two looks into a body's incoming letters; `USUAL_DESK_SECONDS` where none is named."""
USUAL_DESK_SECONDS = 10.0
FAILING = ("mfa", "natstatkom")
"""From whom to whom the route fails."""
FAILURE = "Базада орун жок, документ сакталган жок · Нет места в базе данных, документ не сохранён"
SILENT = "kyzmat"
SILENT_AFTER_SECONDS = 5.0
EXPIRING = "minjust"
EXPIRING_DAYS = 12

_REFUSED = 0.04
_ASSIGNED = 0.5
_ANSWERED = 0.15
_URGENT = 0.15
_TO_SEVERAL = 0.2
_TO_FAILING = 0.6
_OFTEN = 3

SUBJECTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "prezident": ("О ходе перехода на электронный документооборот", "Тапшырманын аткарылышы жөнүндө"),
        "mfa": ("О согласовании проекта межправительственного соглашения", "Эл аралык уюмга мүчөлүк акы жөнүндө"),
        "minekonom": ("О представлении сведений о внешней торговле", "Бюджеттин долбоору жөнүндө"),
        "minjust": ("О результатах правовой экспертизы проекта", "Ченемдик укуктук актынын долбоору жөнүндө"),
        "natstatkom": ("О направлении статистических данных за квартал", "Калкты каттоонун жыйынтыгы жөнүндө"),
        "kyzmat": ("Об аттестации муниципальных служащих", "Кадр резерви жөнүндө"),
        "sanarip-aimak": ("О подключении айыл окмоту", "Айыл өкмөттөрүн окутуу жөнүндө"),
        "ak-bulun": ("Айылдын калкынын саны жөнүндө", "О ремонте водопровода"),
        "chon-oruktu": ("Жер тилкелери жөнүндө", "О паводковой обстановке"),
    }
)
"""What each body writes about."""


def hurried(policy: str) -> str:
    """A policy by which letters must be fetched within a minute: nobody looks at a demo for longer."""
    return policy.replace('within = "15 minutes"', 'within = "1 minute"').replace('"5 minutes"', '"1 minute"')


@dataclass(slots=True)
class Living:
    """The day at the document systems; `run` is its task.

    Attributes:
        story: the installation and its document systems, no longer answering by themselves.
        random: where the day's chances come from.
    """

    story: Story
    random: Random
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    async def run(self) -> None:
        """Send and answer until cancelled."""
        sender, loses = FAILING
        async with asyncio.TaskGroup() as tasks:
            for body, system in self.story.systems.items():
                usual = self._answers(body)
                system.answer_by(_Failing(sender).script(usual) if body == loses else usual)
                tasks.create_task(self._work(body, system), name=f"desk {body}")
            tasks.create_task(self._write(), name="letters")
            tasks.create_task(self._fall_silent(), name="silence")

    async def _write(self) -> None:
        """Every few seconds somebody writes to somebody, or to several."""
        while True:
            await asyncio.sleep(self.random.expovariate(1 / LETTER_SECONDS))
            sample = self._letter()
            if sample.sender != SILENT:
                await asyncio.to_thread(self.story.drop, sample)

    async def _work(self, body: str, system: StandInEdms) -> None:
        """Look into what came every now and then, as people do."""
        while True:
            await asyncio.sleep(self.random.expovariate(1 / DESK_SECONDS.get(body, USUAL_DESK_SECONDS)))
            await asyncio.to_thread(system.step)

    async def _fall_silent(self) -> None:
        """The agent of one body ends; what is written to the body waits from then on."""
        await asyncio.sleep(SILENT_AFTER_SECONDS)
        await asyncio.to_thread(stop_roles, self.story.installation, [role_of(SILENT)])

    def _letter(self) -> Sample:
        sender = self.random.choice((*SUBJECTS, *[FAILING[0]] * _OFTEN))
        others = [body for body in sorted(SUBJECTS) if body != sender]
        several = self.random.random() < _TO_SEVERAL
        recipients = tuple(self.random.sample(others, 3)) if several else (self.random.choice(others),)
        if sender == FAILING[0] and self.random.random() < _TO_FAILING:
            recipients = (FAILING[1],)
        today = self.story.clock().date()
        return Sample(
            sender=sender,
            recipients=recipients,
            number=f"{next(self._numbers)}/{today.year}",
            dated=today,
            annotation=self.random.choice(SUBJECTS[sender]),
            signatory=Person(name="А. Б. Асанова", post="Башкы адис", signed=today),
            urgency=Urgency.URGENT if self.random.random() < _URGENT else Urgency.ROUTINE,
        )

    def _answers(self, body: str) -> Script:
        """What a document system answers on such a day; it goes on with its book of numbers."""
        numbers = itertools.count(101)

        def answers(letter: DraftLetter) -> Iterator[Answer]:
            today = self.story.clock().date()
            if self.random.random() < _REFUSED:
                yield Notice(Event.REFUSED, reason="Тиркеме жок · Нет приложения")
                return
            yield Notice(Event.REGISTERED, REGISTERS[body].format(next(numbers)), today)
            if self.random.random() < _ASSIGNED:
                yield Notice(Event.EXECUTOR_ASSIGNED, actor=EXECUTOR)
            if letter.kind is LetterKind.DOCUMENT and self.random.random() < _ANSWERED:
                yield Reply(replace(self._letter(), sender=body))

        return answers


@dataclass(slots=True)
class _Failing:
    """A document system that loses what one body sends it, each letter once."""

    sender: str
    _lost: set[str] = field(default_factory=set)

    def script(self, usual: Script) -> Script:
        """`usual`, but for what is lost."""

        def answers(letter: DraftLetter) -> Iterable[Answer]:
            if letter.card.sender.body == self.sender and letter.message_id not in self._lost:
                self._lost.add(letter.message_id)
                return (Notice(Event.HAND_OVER_FAILED, reason=FAILURE),)
            return usual(letter)

        return answers
