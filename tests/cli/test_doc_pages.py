"""The commands of the pages on profiles and formats, run as they stand there; connectors have tests of theirs."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.formats import FORMATS
from exchange.cli import app
from exchange.resources import resource
from tests.adapters.support import DIRECTORY, NOW, draft_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for part in ("profiles", "formats") for page in (DOCS / part).glob("*.md"))
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[list[str]]:
    """What a reader types who reads only this page and has only their letters: no exchange is there yet."""
    blocks = [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if not kind]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    typed = [shlex.split(line, comments=True) for line in lines if line.startswith("exchange adapter ")]
    return [words[1:] for words in typed if "trial" not in words]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a letter in each format, and the ready profiles."""
    shutil.copytree(resource("config", "agents"), tmp_path, dirs_exist_ok=True)
    for name, fmt in FORMATS.items():
        folder = tmp_path / "letters" / name
        folder.mkdir(parents=True)
        for file, data in fmt.write(draft_of(name), NOW, DIRECTORY, "letter").files.items():
            (folder / file).write_bytes(data)
            (tmp_path / file).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_the_page_s_commands_do_what_they_say(page: Path, here: Path) -> None:
    """Each ends with 0; `> FILE` is what the shell makes of it."""
    typed = commands(page)
    assert typed, "the page shows nothing to try"
    for words in typed:
        command, _, file = (words[: words.index(">")], ">", words[-1]) if ">" in words else (words, "", "")
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, f"{shlex.join(words)}: {done.output}"
        if file:
            (here / file).write_text(done.stdout, encoding="utf-8")
