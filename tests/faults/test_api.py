"""A real agent's API whose process is killed while systems call: what was answered 202 arrives, and once."""

import asyncio
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from exchange.cli import app
from exchange.embedded.ports import choose_ports
from tests.faults.agents import agent, all_taken, arrived, spools
from tests.faults.conftest import Following
from tests.faults.waiting import until
from tests.services.api.site import letter
from tests.stage import Stage

pytestmark = pytest.mark.server

LETTERS = 100
KILLED_AFTER = (30, 70)


def opened(config: Path, folder: Path) -> tuple[int, str]:
    """Give an agent an API; its port and a token."""
    (port,) = choose_ports(1, folder)
    with config.open("a", encoding="utf-8") as file:
        file.write(f'\n[api]\nport = {port}\ntokens = "{folder / "tokens"}"\n')
    made = CliRunner().invoke(app, ["body", "token", "--config", str(config)])
    assert made.exit_code == 0, made.output
    return port, made.stdout.splitlines()[-1]


async def sent(caller: httpx.AsyncClient, message_id: str, to: str) -> None:
    """Call until the agent has answered 202, as a careful system does: with the same bytes each time."""

    async def accepted() -> bool:
        try:
            answer = await caller.post("/letters", json=letter(message_id, to))
        except httpx.TransportError:
            return False
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return False
        assert answer.status_code == 202, answer.text
        return True

    await until(accepted, f"{message_id} accepted")


async def test_accepted_letters_outlive_the_agent(stage: Stage, following: Following, tmp_path: Path) -> None:
    """Killed -9 in a stream of calls: each letter that was accepted is delivered, none twice."""
    sender, recipient = stage.fresh(2)
    port, token = opened(stage.installation.config(f"agent-{sender}"), tmp_path)
    names = [f"{sender}-{number:04}" for number in range(LETTERS)]
    caller = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/v1/bodies/{sender}", headers={"Authorization": f"Bearer {token}"}
    )

    accepted: list[str] = []

    async def call() -> None:
        for name in names:
            await sent(caller, name, recipient)
            accepted.append(name)

    with stage.running("router"), agent(stage, recipient):
        async with caller:
            calling = asyncio.create_task(call())
            for count in KILLED_AFTER:
                with agent(stage, sender) as process:
                    while len(accepted) < count and not calling.done():  # noqa: ASYNC110 - the other task makes it so
                        await asyncio.sleep(0.01)
                    process.kill()
            with agent(stage, sender) as process:
                await calling
                await all_taken(stage, sender)

                async def all_there() -> bool:
                    return await arrived(stage, recipient) == names

                await until(all_there, "each letter at the recipient, once")
                assert process.stop() == 0
        await stage.checker.check(spools(stage, sender, recipient))
    await following.settle()
    said = [seen for seen in stage.checker.decided.values() if seen.head.body == sender]
    assert len(said) == 1 + len(names)
