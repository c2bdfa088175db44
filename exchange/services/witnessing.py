"""Asks a policy's witnesses to cosign a checkpoint (C2SP tlog-witness); for whoever writes the log.

Publish first, ask then: witnesses of ours read the tiles under the checkpoint before they cosign it.

Witnesses are strangers: what they answer is bounded, in time too, and believed only where their key signed it. That one
is away is no error: the checkpoint then lacks its word.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

import httpx
from prometheus_client import CollectorRegistry, Counter, Gauge

from exchange.domain.address import web_address
from exchange.domain.errors import ConfigurationError
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.merkle import Hashes, consistency_proof
from exchange.tlog.note import Note
from exchange.tlog.policy import LogPolicy, Witness
from exchange.tlog.witness import ANSWER_BYTES, PATH, AddCheckpoint, cosignatures, known_size

log = logging.getLogger(__name__)

ASK_SECONDS = 5.0
"""For all that is asked of one witness about one checkpoint."""
REST_SECONDS = (1.0, 60.0)
"""A witness that is away is not asked again for so long: the first time, and at most."""
_ROUNDS = 3
"""The first request, one from the size that the witness names, one more if somebody asked it in between."""


class Outcome(StrEnum):
    """What came of asking a witness."""

    COSIGNED = "cosigned"
    AWAY = "away"
    """No answer in time, one that says that it cannot now, or it rests after such a one."""
    REFUSED = "refused"
    """It does not know the log or the log's key (403, 404), or does not understand us: somebody configures it."""
    INVALID = "invalid"
    """Its answer is not what it must be, or its signature does not hold."""
    ROLLED_BACK = "rolled-back"
    """It says that it cosigned a larger size of this log than there is: one of us was put back."""
    FORKED = "forked"
    """It says that this is no continuation of what it cosigned."""

    @property
    def contradicts(self) -> bool:
        """Whether the witness says that it knows another log than ours under its name."""
        return self in {Outcome.ROLLED_BACK, Outcome.FORKED}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness said of a checkpoint.

    Attributes:
        witness: its name in the policy.
        outcome: what came of it.
        lines: its cosignatures, to be added to the note; only when it cosigned.
        size: that the witness knows of the log, where it says so; else 0.
        detail: for people.
    """

    witness: str
    outcome: Outcome
    lines: tuple[str, ...] = ()
    size: int = 0
    detail: str = ""


class WitnessingMetrics:
    """How witnesses answer, by their names in the policy."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register on `registry`."""
        self._answers = Counter(
            "exchange_witnessing_answers", "Checkpoints that a witness was asked about", ["witness", "outcome"],
            registry=registry,
        )  # fmt: skip
        self._size = Gauge(
            "exchange_witnessing_cosigned_size", "Heads in the last checkpoint that a witness cosigned", ["witness"],
            registry=registry,
        )  # fmt: skip

    def expect(self, witness: str) -> None:
        """Begin all counts of a witness at 0: an alarm sees what grows, and not what appears."""
        for outcome in Outcome:
            self._answers.labels(witness, outcome.value)

    def tell(self, answer: Answer, size: int) -> None:
        """Count an answer about a checkpoint of so many entries."""
        self._answers.labels(answer.witness, answer.outcome.value).inc()
        if answer.outcome is Outcome.COSIGNED:
            self._size.labels(answer.witness).set(size)


@dataclass(slots=True)
class _Standing:
    """What we know of a witness: the size it cosigned last, and until when it rests, for how long."""

    known: int = 0
    until: float = 0.0
    rest: float = 0.0


class Witnesses:
    """The witnesses of a policy that have an address; made with `open_witnesses`. One checkpoint at a time."""

    def __init__(
        self,
        witnesses: tuple[Witness, ...],
        client: httpx.AsyncClient,
        metrics: WitnessingMetrics,
        monotonic: Callable[[], float],
    ) -> None:
        """Nobody was asked yet; the first answer says what each knows."""
        self._witnesses = witnesses
        self._client = client
        self._metrics = metrics
        self._monotonic = monotonic
        for witness in witnesses:
            metrics.expect(witness.name)
        self._standing = {witness.name: _Standing() for witness in witnesses}

    async def ask(self, note: Note, hashes: Hashes) -> tuple[Answer, ...]:
        """Ask all at once; no longer than `ASK_SECONDS`.

        Args:
            note: a checkpoint signed by the log.
            hashes: of the log's tree, at least as large as the checkpoint's.

        Raises:
            LogRefused: `checkpoint-invalid`; what `hashes` raises.
        """
        checkpoint = Checkpoint.parse(note.text)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._answer(each, note, checkpoint, hashes)) for each in self._witnesses]
        answers = tuple(task.result() for task in tasks)
        for answer in answers:
            self._metrics.tell(answer, checkpoint.size)
        return answers

    async def _answer(self, witness: Witness, note: Note, checkpoint: Checkpoint, hashes: Hashes) -> Answer:
        standing = self._standing[witness.name]
        if self._monotonic() < standing.until:
            return Answer(witness.name, Outcome.AWAY, detail="rests")
        try:
            async with asyncio.timeout(ASK_SECONDS):
                answer = await self._talk(witness, note, checkpoint, hashes)
        except (httpx.HTTPError, TimeoutError) as error:
            answer = Answer(witness.name, Outcome.AWAY, detail=type(error).__name__)
        except LogRefused as error:
            answer = Answer(witness.name, Outcome.INVALID, detail=f"{error.code}: {error}")
        self._note(standing, answer, checkpoint)
        return answer

    def _note(self, standing: _Standing, answer: Answer, checkpoint: Checkpoint) -> None:
        first, most = REST_SECONDS
        if answer.outcome is Outcome.COSIGNED:
            standing.known, standing.until, standing.rest = checkpoint.size, 0.0, 0.0
            return
        standing.rest = min(most, standing.rest * 2 or first)
        standing.until = self._monotonic() + standing.rest
        ids = {"witness": answer.witness, "outcome": answer.outcome.value, "size": checkpoint.size}
        if answer.outcome.contradicts:
            log.error("a witness knows another log than ours: %s", answer.detail, extra=ids)
        else:
            log.warning("a witness did not cosign: %s", answer.detail, extra=ids)

    async def _talk(self, witness: Witness, note: Note, checkpoint: Checkpoint, hashes: Hashes) -> Answer:
        old = min(self._standing[witness.name].known, checkpoint.size)
        for _ in range(_ROUNDS):
            request = AddCheckpoint(old, tuple(consistency_proof(old, checkpoint.size, hashes)), note)
            status, body = await self._post(witness.url, bytes(request))
            if status != HTTPStatus.CONFLICT:
                return _read(witness, status, body, note)
            size = known_size(body)
            if size > checkpoint.size:
                detail = f"{witness.name} cosigned {size} entries, and here are {checkpoint.size}"
                return Answer(witness.name, Outcome.ROLLED_BACK, size=size, detail=detail)
            if size == old < checkpoint.size:
                detail = f"{witness.name} knows {size} entries, and takes no proof from there"
                return Answer(witness.name, Outcome.INVALID, size=size, detail=detail)
            if size == old:
                detail = f"{witness.name} cosigned another root of {size} entries"
                return Answer(witness.name, Outcome.FORKED, size=size, detail=detail)
            old = size
        return Answer(witness.name, Outcome.AWAY, size=old, detail="it is asked about other sizes all the time")

    async def _post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and the beginning of the answer; `ANSWER_BYTES` and one more when there is more."""
        read = bytearray()
        async with self._client.stream("POST", url.rstrip("/") + PATH, content=body) as response:
            async for part in response.aiter_raw():
                read += part[: ANSWER_BYTES + 1 - len(read)]
                if len(read) > ANSWER_BYTES:
                    break
        return response.status_code, bytes(read)


@asynccontextmanager
async def open_witnesses(
    policy: LogPolicy, registry: CollectorRegistry, monotonic: Callable[[], float]
) -> AsyncIterator[Witnesses]:
    """Keep connections to a policy's witnesses open while the context lasts.

    Args:
        policy: its witnesses without an address are left out: somebody else asks them.
        registry: for metrics.
        monotonic: seconds that only grow.

    Raises:
        ConfigurationError: `log-policy-invalid`: an address that cannot be asked.
    """
    asked = tuple(witness for witness in policy.witnesses if witness.url)
    for witness in asked:
        if web_address(witness.url) is None:
            message = f"witness {witness.name}: '{witness.url[:100]}' is no address of http or https: mend the policy"
            raise ConfigurationError(message, code="log-policy-invalid")
    headers = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}
    # Answers are short and redirects nobody's business: a witness is where the policy says.
    async with httpx.AsyncClient(headers=headers, timeout=ASK_SECONDS, follow_redirects=False) as client:
        yield Witnesses(asked, client, WitnessingMetrics(registry), monotonic)


def _read(witness: Witness, status: int, body: bytes, note: Note) -> Answer:
    if status == HTTPStatus.OK:
        return Answer(witness.name, Outcome.COSIGNED, cosignatures(body, note, [witness.key]))
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        detail = f"{witness.name} says that the log did not only grow"
        return Answer(witness.name, Outcome.FORKED, detail=detail)
    is_ours = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    passes = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT} or not is_ours
    return Answer(witness.name, Outcome.AWAY if passes else Outcome.REFUSED, detail=f"status {status}")
