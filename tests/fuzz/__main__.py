"""`make fuzz`: every parser in turn under atheris, for a bounded time each.

    python -m tests.fuzz --seconds 20 [--folder build/fuzz] [TARGET…]

Each target runs in a process of its own (`tests.fuzz.process`). What was found worth keeping stays in the folder's
`corpus/<target>`, so that the next run goes on from there; an input that made a parser fail lies in `crashes/`, under
its target's name. Exit code 1 when there is one.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from tests.fuzz.mutants import ODD
from tests.fuzz.targets import names, target

MEMORY_MB = 512
"""Of a whole process; atheris and the instrumented code take some 150 of it."""
LONGEST_BYTES = 65_536
ANSWER_SECONDS = 5
_RUNS = re.compile(r"^#(\d+)", re.MULTILINE)
_COVERED = re.compile(r"\bcov: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target: inputs tried, places of the code reached, and what it said when it failed."""

    name: str
    runs: int
    covered: int
    failure: str

    def line(self) -> str:
        """For people."""
        return f"{self.name:24} {self.runs:>9} inputs {self.covered:>6} edges  {'FAILED' if self.failure else 'ok'}"


def main(arguments: Sequence[str]) -> int:
    """Fuzz; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz every parser.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(names())}; none: all")
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    given = parser.parse_args(arguments)
    unknown = set(given.targets) - set(names())
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}")
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        run = partial(_fuzzed, folder=given.folder, seconds=given.seconds)
        for outcome in pool.map(run, given.targets or names()):
            print(outcome.line(), flush=True)
            if outcome.failure:
                failed += 1
                print(outcome.failure)
    return 1 if failed else 0


def _word(piece: bytes) -> str:
    """A line of libFuzzer's dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in piece) + '"\n'


def _fuzzed(name: str, folder: Path, seconds: int) -> Outcome:
    corpus, crashes, words = folder / "corpus" / name, folder / "crashes", folder / "words"
    for each in (corpus, crashes):
        each.mkdir(parents=True, exist_ok=True)
    for seed in target(name).seeds:
        (corpus / sha256(seed).hexdigest()[:40]).write_bytes(seed)
    words.write_text("".join(map(_word, filter(None, ODD))))
    options = (
        f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MB}", f"-max_len={LONGEST_BYTES}", "-len_control=0",
        f"-timeout={ANSWER_SECONDS}", f"-artifact_prefix={crashes}/{name}-", f"-dict={words}", "-verbosity=1",
    )  # fmt: skip
    command = [sys.executable, "-m", "tests.fuzz.process", name, *options, str(corpus)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    runs, covered = _RUNS.findall(done.stderr), _COVERED.findall(done.stderr)
    failure = "" if done.returncode == 0 else done.stdout + done.stderr[-4000:]
    return Outcome(name, int(runs[-1]) if runs else 0, int(covered[-1]) if covered else 0, failure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
