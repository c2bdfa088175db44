"""Writes what the demo prints into the README: `python -m tests.demo.transcript`.

A test compares the README with a fresh run, where ids, times and numbers that differ are masked.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"(?<=<!-- transcript -->\n).*?(?=<!-- /transcript -->)", re.DOTALL)
SHOWN_FOLDER = "~/.local/state/exchange/demo"

_MASKS = (
    (re.compile(r"\b[0-9a-f]{8}\b"), "ID"),
    (re.compile(r" +\d+(\.\d)? (ms|s|min)\b"), " TIME"),
    (re.compile(r"\d+"), "N"),
    (re.compile(r" {2,}"), "  "),
)


def transcript(printed: str, folder: Path) -> str:
    """The block of the README for what a demo in `folder` printed."""
    lines = (line.rstrip() for line in printed.replace(str(folder), SHOWN_FOLDER).splitlines())
    return "```\n$ exchange demo\n" + "\n".join(lines).strip() + "\n```\n"


def masked(block: str) -> list[str]:
    """Its lines without what differs from run to run; letters come in the order of the journal, so sorted."""
    lines = []
    for line in block.splitlines():
        text = line
        for pattern, mask in _MASKS:
            text = pattern.sub(mask, text)
        lines.append(text.strip())
    return sorted(lines)


def main() -> None:
    """Run the demo and put what it prints into the README."""
    state = Path(os.environ.get("EXCHANGE_STATE", Path.home() / ".local/state/exchange"))
    done = subprocess.run([sys.executable, "-m", "exchange.cli", "demo"], stdout=subprocess.PIPE, text=True, check=True)
    block = transcript(done.stdout, state / "demo")
    README.write_text(BLOCK.sub(lambda _match: block, README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
