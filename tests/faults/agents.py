"""Agent processes of the stage's bodies, and their spools seen from beside them."""

from contextlib import AbstractContextManager
from pathlib import Path

from exchange import system
from exchange.agent.drafts import Drafting
from exchange.agent.mailbox import Mailbox
from exchange.agent.spool import Spool
from exchange.agent.spool.outgoing import OutgoingState
from tests.agent.edms import plain_letter
from tests.faults.waiting import until
from tests.stage import Process, Stage

MANY = 1_000_000


def agent(stage: Stage, body: str) -> AbstractContextManager[Process]:
    """A body's agent without a document system: what arrives stays in its spool."""
    return stage.running(f"agent-{body}", name="alone", without="edms = ")


def spool_of(stage: Stage, body: str) -> Path:
    """The folder of a body's spool."""
    return stage.folder / "spool" / f"agent-{body}"


def spools(stage: Stage, *bodies: str) -> dict[str, Path]:
    """The files of these bodies' spools, for the checker."""
    return {body: spool_of(stage, body) / "spool.sqlite" for body in bodies}


def open_spool(stage: Stage, body: str) -> Spool:
    """The spool that the body's agent uses, opened beside it as a client does."""
    folder = spool_of(stage, body)
    folder.mkdir(exist_ok=True)
    return Spool(folder / "spool.sqlite")


def mailbox(stage: Stage, spool: Spool, body: str) -> Mailbox:
    """What a program of the body uses."""
    world = stage.world
    drafting = Drafting(world.directory.exchange, world.policy.inline_bytes, system.now, system.random_bytes)
    return Mailbox(spool, body, drafting)


async def leave(stage: Stage, body: str, letters: list[str], *to: str) -> None:
    """Leave letters with these message ids in the body's spool."""
    with open_spool(stage, body) as spool:
        await mailbox(stage, spool, body).submit(*(plain_letter(letter, *to) for letter in letters))


async def all_taken(stage: Stage, body: str) -> None:
    """Wait until the exchange has taken everything that the body's spool has."""
    with open_spool(stage, body) as spool:
        box = mailbox(stage, spool, body)

        async def taken() -> bool:
            return {letter.state for letter in await box.sent(MANY)} == {OutgoingState.TAKEN}

        await until(taken, f"everything of {body} taken")


async def arrived(stage: Stage, body: str) -> list[str]:
    """Message ids of the letters that arrived, in order, repeats too."""
    with open_spool(stage, body) as spool:
        letters = await mailbox(stage, spool, body).arrived(MANY)
    return [letter.arrived.letter.message_id for letter in reversed(letters)]
