"""The image: every step of its Dockerfile is done here in empty folders, and what comes out runs."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.config.dockerfile import Folder, stages

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker" / "Dockerfile"
NAMED = re.compile(r"(?m)^([\w.-]+==\S+)")


def test_the_image_runs_as_nobody() -> None:
    """A user by number; nothing is run in the last stage, so it holds nothing of what built it."""
    *_, last = stages(FILE)
    keywords = [keyword for keyword, _ in last.steps]
    assert "RUN" not in keywords
    assert dict(last.steps)["USER"] == "10001:10001"
    assert dict(last.steps)["ENTRYPOINT"] == '["exchange"]'


def test_the_base_is_exact() -> None:
    """All stages stand on one base, named to the patch; no `latest`."""
    text = FILE.read_text(encoding="utf-8")
    assert {stage.base for stage in stages(FILE)} == {"${BASE}"}
    assert re.search(r"(?m)^ARG BASE=python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?$", text)


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_locks_of_the_image_follow_that_of_the_project(name: str) -> None:
    """The same versions, where both name a package: `make lock` writes all of them."""
    locked = dict(each.split("==") for each in NAMED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    ours = dict(each.split("==") for each in NAMED.findall((FILE.parent / name).read_text(encoding="utf-8")))
    assert ours
    assert {package for package, version in ours.items() if locked.get(package, version) != version} == set()


def test_the_context_holds_what_is_copied() -> None:
    """`.dockerignore` lets in exactly what some step copies."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        word
        for stage in stages(FILE)
        for keyword, words in stage.steps
        if keyword == "COPY" and "--from=" not in words
        for word in words.split()[:-1]
    }
    assert let_in == copied
    assert "*" in ignored


@pytest.mark.server
def test_every_step_can_be_done(tmp_path: Path) -> None:
    """From locks and sources to a command that tells its version, in empty folders in place of images."""
    images: dict[str, Path] = {}
    for stage in stages(FILE)[:-1]:
        folder = Folder(tmp_path / stage.name, ROOT, images)
        folder.root.mkdir()
        images[stage.name] = folder.root
        for keyword, words in stage.steps:
            folder.do(keyword, words)
    program = images["build"] / "opt" / "exchange" / "bin" / "exchange"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.startswith("exchange ")
    subprocess.run([program, "router", "--help"], capture_output=True, check=True, cwd=tmp_path)
    (vendor,) = (images["build"] / "opt" / "exchange").rglob("console/static/vendor/htmx.min.js")
    assert vendor.stat().st_size > 1000
