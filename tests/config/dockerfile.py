"""A Dockerfile read as its stages, and its steps done in folders: for machines without an engine."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STEP_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next: its name, its base, and its instructions as pairs of keyword and words."""

    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages(file: Path) -> list[Stage]:
    """All stages of a Dockerfile, each instruction in one line."""
    found: list[Stage] = []
    for line in _lines(file):
        keyword, _, words = line.partition(" ")
        if keyword == "FROM":
            base, _, name = words.partition(" AS ")
            found.append(Stage(name, base))
        elif found:
            found[-1].steps.append((keyword, words.strip()))
    return found


def _lines(file: Path) -> Iterator[str]:
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


class Folder:
    """A folder in place of an image: absolute paths of its steps begin there, `python` is ours."""

    def __init__(self, root: Path, context: Path, images: dict[str, Path]) -> None:
        """`context` is what a build is given; `images` are the folders of stages before."""
        self.root = root
        self._context = context
        self._images = images
        self._workdir = root

    def do(self, keyword: str, words: str) -> None:
        """One step; what only matters to a container that runs is passed by."""
        match keyword:
            case "WORKDIR":
                self._workdir = self._place(words)
                self._workdir.mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(words)
            case "RUN":
                self._run(words)

    def _place(self, path: str) -> Path:
        return self.root / path.lstrip("/") if path.startswith("/") else self._workdir / path

    def _copy(self, words: str) -> None:
        *sources, target = shlex.split(words)
        stage = sources.pop(0).removeprefix("--from=") if sources[0].startswith("--from=") else ""
        origin, place = self._images[stage] if stage else self._context, self._place(target)
        for source in sources:
            found = origin / source.lstrip("/")
            if found.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "vendor", "node_modules")
                shutil.copytree(found, place, ignore=ignored, dirs_exist_ok=True)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, place)

    def _run(self, words: str) -> None:
        """By a shell, as the engine does; nothing but PATH and the caches comes from here."""
        shown = words.replace("/opt/", f"{self.root}/opt/").replace("/src/", f"{self.root}/src/")
        programs = self.root / "bin"
        programs.mkdir(exist_ok=True)
        if not (programs / "python").exists():
            (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            (programs / "python").chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment = kept | {"PATH": f"{programs}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-ec", shown], cwd=self._workdir, env=environment, timeout=STEP_SECONDS, check=True)
