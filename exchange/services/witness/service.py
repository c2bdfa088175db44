"""Judges requests to cosign a checkpoint as C2SP's tlog-witness has it; what is cosigned is on the disk first.

Whoever asks is a stranger, and may be the log that wants to be believed: nothing is taken from a request but what the
log's key signed.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from exchange.domain.errors import ExchangeError
from exchange.services.threads import finish
from exchange.services.witness.errors import tiles_away
from exchange.services.witness.keeping import Contradiction, Keeper, Kind
from exchange.services.witness.looking import Rewritten, Tiles, look
from exchange.services.witness.metrics import WitnessMetrics
from exchange.services.witness.state import Known, Looked, WitnessState
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.errors import LogRefused
from exchange.tlog.note import Signer, Verifier
from exchange.tlog.witness import SIZE_TYPE, AddCheckpoint, Verdict, judge

log = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"
LOOK_SECONDS = 3.0
"""A request looks no further into a log after so long: the next one goes on from there. Logs wait for five."""
WAIT_SECONDS = 3.0
"""For who asked before about the same log."""


@dataclass(frozen=True, slots=True)
class WatchedLog:
    """A log that is cosigned.

    Attributes:
        key: the log's, which is called as the log is.
        tiles: where its tiles are read, to look further than the protocol asks; None: that is not done.
    """

    key: Verifier
    tiles: Tiles | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    text: str
    media_type: str = TEXT


class Witness:
    """Answers requests; several at a time, of each log one."""

    def __init__(
        self,
        signer: Signer,
        logs: Mapping[str, WatchedLog],
        state: WitnessState,
        keeper: Keeper,
        metrics: WitnessMetrics,
        now: Callable[[], int],
    ) -> None:
        """Nobody asked yet.

        Args:
            signer: the witness's key.
            logs: by name.
            state: open.
            keeper: what becomes of what speaks against a log.
            metrics: what is counted.
            now: seconds since 1970.
        """
        self._signer = signer
        self._logs = logs
        self._state = state
        self._keeper = keeper
        self._metrics = metrics
        self._now = now
        self._turns = {name: asyncio.Lock() for name in logs}
        self.waiting_for = ""
        """Why nothing can be cosigned; empty when it can."""

    async def answer(self, body: bytes) -> Reply:
        """Answer a request's body."""
        try:
            reply = await self._judged(body)
        except LogRefused as error:
            reply = Reply(HTTPStatus.BAD_REQUEST, f"{error.code}: {error}\n")
        except ExchangeError as error:
            log.error("nothing is cosigned: %s", error, extra={"code": error.code})  # noqa: TRY400 - it says it all
            self.waiting_for = error.code
            reply = Reply(HTTPStatus.SERVICE_UNAVAILABLE, f"{error.code}: ask again later\n")
        self._metrics.answered(reply.status)
        return reply

    async def _judged(self, body: bytes) -> Reply:
        request = AddCheckpoint.parse(body)
        checkpoint = Checkpoint.parse(request.note.text)
        watched = self._logs.get(checkpoint.origin)
        if watched is None:
            return Reply(HTTPStatus.NOT_FOUND, "the log is not known here: ask the witness's holder to add it\n")
        if not _is_signed(request, watched.key):
            return Reply(HTTPStatus.FORBIDDEN, "no signature by the log's key: compare it with the one known here\n")
        turn = self._turns[checkpoint.origin]
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn.acquire()
        except TimeoutError:
            return Reply(HTTPStatus.SERVICE_UNAVAILABLE, "another request about this log is under way: ask again\n")
        try:
            return await self._in_turn(request, checkpoint, watched.tiles)
        finally:
            turn.release()

    async def _in_turn(self, request: AddCheckpoint, checkpoint: Checkpoint, tiles: Tiles | None) -> Reply:
        known = await finish(self._state.known, checkpoint.origin)
        verdict = judge(known.head, request, checkpoint)
        if verdict is Verdict.WRONG:
            return Reply(verdict.status, "the old size is above the checkpoint's\n")
        if verdict in {Verdict.BEHIND, Verdict.SPLIT}:
            await self._look_back(request, checkpoint)
            return Reply(verdict.status, f"{known.head.size}\n", SIZE_TYPE)
        if verdict is Verdict.UNPROVEN:
            await self._keep(Kind.UNPROVEN, "the proof sent with a checkpoint does not hold", request, known)
            return Reply(verdict.status, "the proof does not hold\n")
        if tiles is not None:
            try:
                looked = await self._look(known.looked, checkpoint, tiles)
            except LogRefused as error:
                if error.code == "tile-invalid":
                    raise tiles_away(checkpoint.origin, error) from error
                await self._keep(Kind.REWRITTEN, str(error), request, known, error)
                return Reply(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n")
            if looked.size < checkpoint.size:
                text = f"looked through {looked.size} of {checkpoint.size} heads: ask again\n"
                return Reply(HTTPStatus.SERVICE_UNAVAILABLE, text)
        return await self._cosign(request, checkpoint, known)

    async def _cosign(self, request: AddCheckpoint, checkpoint: Checkpoint, known: Known) -> Reply:
        note = str(request.note)
        if not await finish(self._state.advance, known.head, checkpoint, note):
            latest = await finish(self._state.known, checkpoint.origin)
            return Reply(HTTPStatus.CONFLICT, f"{latest.head.size}\n", SIZE_TYPE)
        self.waiting_for = ""
        at = self._now()
        self._metrics.cosigned(checkpoint, at)
        return Reply(HTTPStatus.OK, self._signer.sign(request.note.text, at))

    async def _look(self, looked: Looked, checkpoint: Checkpoint, tiles: Tiles) -> Looked:
        """Look as far as there is time; how far that is outlives us."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LOOK_SECONDS
        while looked.size < checkpoint.size and loop.time() < until:
            further = await finish(look, looked, checkpoint, tiles)
            await finish(self._state.look, checkpoint.origin, looked, further)
            looked = further
        return looked

    async def _look_back(self, request: AddCheckpoint, checkpoint: Checkpoint) -> None:
        """Compare a checkpoint with the one of its size that was cosigned: a log shows one root of each."""
        note = await finish(self._state.cosigned, checkpoint.origin, checkpoint.size)
        if note is not None and not note.startswith(request.note.text):
            why = f"two checkpoints of {checkpoint.size} entries with different roots"
            await self._keep_found(Contradiction(Kind.SPLIT, why, note, request.note))

    async def _keep(
        self, kind: Kind, why: str, request: AddCheckpoint, known: Known, error: LogRefused | None = None
    ) -> None:
        origin = Checkpoint.parse(request.note.text).origin
        cosigned = await finish(self._state.cosigned, origin, known.head.size)
        pair = error.pair if isinstance(error, Rewritten) else ()
        await self._keep_found(Contradiction(kind, why, cosigned, request.note, pair))

    async def _keep_found(self, found: Contradiction) -> None:
        folder = await finish(self._keeper.keep, found, self._now())
        if folder is not None:
            ids = {"kind": found.kind.value, "folder": str(folder)}
            log.error("a log contradicts itself, and the proof is kept: %s", found.why, extra=ids)


def _is_signed(request: AddCheckpoint, key: Verifier) -> bool:
    try:
        return key in request.note.signed_by([key])
    except LogRefused:
        return False
