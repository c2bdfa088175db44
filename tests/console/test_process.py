"""The console's process: started from its file, asked, and ended."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from exchange.bus.connection import KafkaSettings
from exchange.cli.commands import app
from exchange.console.process import run_console
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.settings import operator_settings
from exchange.settings.console import console_settings
from exchange.settings.toml import table_text
from exchange.store.database import Store
from tests.patience import PATIENCE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOBODY_LISTENS = "127.0.0.1:1"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A console's file in an installation that does not run."""
    installer = Installer(tmp_path / "installation", demo_bodies(), NOW)
    installer.write_settings(NOBODY_LISTENS)
    operator = operator_settings(installer.installation.config("operator"), {})
    file = installer.installation.folder / "console-tried.toml"
    tables = [
        table_text("kafka", **_kafka(operator.kafka)),
        table_text("directory", folder=str(operator.directory.folder), root=str(operator.directory.root)),
        table_text("store", url=operator.store),
        table_text("console", port=0, tokens="console-tokens"),
    ]
    file.write_text("\n".join(tables), encoding="utf-8")
    return file


def _kafka(settings: KafkaSettings) -> dict[str, str]:
    names = ("bootstrap", "ca", "certificate", "key")
    return {name: str(getattr(settings, name)) for name in names}


@asynccontextmanager
async def running(config: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[tuple[str, str]]:
    """The process; where the console is, and where its health."""
    caplog.set_level(logging.INFO)
    task = asyncio.create_task(run_console(console_settings(config, {})))
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                places = dict(re.findall(r"(\[console\] is|health and metrics) at (\S+)", caplog.text))
                if len(places) == 2:
                    break
                assert not task.done(), task.exception()
                await asyncio.sleep(0.02)
        yield f"http://{places['[console] is']}", f"http://{places['health and metrics']}"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.server
async def test_it_serves_and_ends(config: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without Kafka and before any tracker; it says what it waits for, and goes on once that is there."""
    made = CliRunner().invoke(app, ["console", "token", "olga", "--role", "operator", "--config", str(config)])
    assert made.exit_code == 0, made.output
    token = {"Authorization": f"Bearer {made.output.split()[-1]}"}
    async with running(config, caplog) as (url, observed), httpx.AsyncClient(timeout=PATIENCE) as client:
        assert (await client.get(f"{url}/")).status_code in {200, 303, 401}
        waits = await client.get(f"{observed}/health")
        assert (waits.status_code, "tracker's database" in waits.text) == (503, True)
        missing = await client.get(f"{url}/api/v1/letters", headers=token)
        assert missing.json()["code"] == "store-version"
        with Store(console_settings(config, {}).store) as store:
            store.migrate()
        async with asyncio.timeout(PATIENCE):
            while (await client.get(f"{observed}/health")).status_code != 200:  # noqa: ASYNC110 - another task makes it so
                await asyncio.sleep(0.1)
        assert (await client.get(f"{url}/api/v1/letters", headers=token)).json()["items"] == []
        assert "exchange_console_requests_total" in (await client.get(f"{observed}/metrics")).text
        async with client.stream("GET", f"{url}/api/v1/stream", headers=token) as stream:
            assert stream.status_code == 200  # and does not hold the end up


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["Olga", "--role", "operator"], "account-invalid"),
        (["olga", "--role", "body-administrator"], "account-invalid"),
    ],
)
def test_tokens_that_cannot_be(config: Path, arguments: list[str], code: str) -> None:
    """Are told what is wrong with them."""
    made = CliRunner().invoke(app, ["console", "token", *arguments, "--config", str(config), "--json"])
    assert made.exit_code == 3
    assert code in made.output
