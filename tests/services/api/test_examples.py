"""The examples in `docs/examples/` against a real agent's API: a letter sent, taken in and registered in each language.

They take seconds to compile and start, so `make test` has them. Where a runtime is not on this machine the test's
id says so, and only the words of the example are looked at.
"""

import asyncio
import json
import os
import re
import shutil
import sys
from asyncio import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.services.api.site import Site

pytestmark = pytest.mark.server

FOLDER = Path(__file__).parents[3] / "docs" / "examples"
MEMBERS = ("message_id", "recipients", "title", "files", "content", "cursor", "event_time", "reg_number", "reg_date")
"""What a letter or receipt is made of, in every language."""
PDF = b"%PDF-1.7\n\x00\xff"


@dataclass(frozen=True)
class Example:
    """A program and what runs it."""

    file: str
    runtime: str
    arguments: tuple[str, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether this machine can run it."""
        return shutil.which(self.runtime) is not None

    def __str__(self) -> str:
        """As a test's id."""
        return self.file if self.is_here else f"{self.file}: not run here: no {self.runtime}"


EXAMPLES = (
    Example("letters.py", sys.executable, ("-I",)),
    Example("Letters.java", "java", ("--source", "17")),
    Example("Letters.cs", "dotnet", ("run",)),
    Example("letters.sh", "curl"),
)


async def run(example: Example, site: Site, url: str, body: str, *arguments: str) -> str:
    """What the program prints; it must end well."""
    surroundings = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LC_ALL": "C.UTF-8"}
    environment = {"EXCHANGE_API": url, "EXCHANGE_BODY": body, "EXCHANGE_TOKEN": site.tokens[body]}
    program = ["sh"] if example.runtime == "curl" else [example.runtime, *example.arguments]
    process = await subprocess.create_subprocess_exec(
        *program,
        str(FOLDER / example.file),
        *arguments,
        env=surroundings | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_does_what_it_says(example: Example, api: Site, tmp_path: Path) -> None:
    """The recipient has the file, and the sender hears `registered`."""
    source = (FOLDER / example.file).read_text(encoding="utf-8")
    assert [member for member in MEMBERS if member not in source] == []
    if not example.is_here:
        return
    (tmp_path / "письмо.pdf").write_bytes(PDF)
    (tmp_path / "in").mkdir()
    sending = ("send", "m-1", "beta", "О переходе", str(tmp_path / "письмо.pdf"))
    async with api.listening() as url:
        assert "m-1 delivered" in await run(example, api, url, "alpha", *sending)
        assert "registered" in await run(example, api, url, "beta", "receive", str(tmp_path / "in"))
        async with api.caller("beta") as beta, api.caller("alpha") as alpha:
            (letter,) = (await beta.get("/inbox")).json()["letters"]
            assert (tmp_path / "in" / f"{letter['id']}.0").read_bytes() == PDF
            assert (tmp_path / "in" / "cursor").read_text(encoding="utf-8").strip() == str(
                (await beta.get("/inbox")).json()["cursor"]
            )
            page = (await alpha.get("/receipts", params={"after": 1, "wait": 60})).json()
            while page["receipts"][-1]["event"] != "registered":
                page = (await alpha.get("/receipts", params={"after": page["cursor"], "wait": 60})).json()
            assert page["receipts"][-1]["reg_number"] == f"IN-{letter['id'][:8]}"


def blocks() -> list[tuple[str, str]]:
    """Language and text of each block of code in the API's page."""
    page = (FOLDER.parent / "api.md").read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


async def test_the_page_s_commands_work(api: Site, tmp_path: Path) -> None:
    """The first call that a reader makes with curl, and the typed client's lines, as they stand there."""
    async with api.listening() as url:

        def here(text: str) -> str:
            return text.replace("http://127.0.0.1:9105", url).replace("mfa", "alpha").replace("minjust", "beta")

        (command,) = [text for _, text in blocks() if text.startswith("curl ")]
        environment = {"PATH": os.environ["PATH"], "TOKEN": api.tokens["alpha"]}
        process = await subprocess.create_subprocess_exec(
            "sh", "-ec", here(command), env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        told, _ = await process.communicate()
        assert json.loads(told) == {"message_id": "2026/117", "is_new": True}
        (program,) = [text.replace("wait=60", "wait=0") for language, text in blocks() if language == "python"]
        script = tmp_path / "page.py"
        script.write_text(f"token, cursor = {api.tokens['alpha']!r}, 0\n{here(program)}", encoding="utf-8")
        process = await subprocess.create_subprocess_exec(
            sys.executable, str(script), env=os.environ | {"PYTHONPATH": str(FOLDER.parents[1])}
        )
        assert await process.wait() == 0
        async with api.caller("alpha") as alpha:
            letters = (await alpha.get("/letters")).json()["letters"]
        assert [each["message_id"] for each in letters] == ["2026/119", "2026/117"]
