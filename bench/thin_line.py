"""Bytes on a thin line for each byte of letters: 64 kbit/s, 800 ms each way, 5 % loss, a cut every minute.

A gateway's agent with 12 bodies, 8 letters out and 4 in of 30 to 200 KB that nothing makes smaller, until every
receipt is back. Once over a line that keeps its address over a cut, so that TCP goes on where it was, and once
over one whose connections are all reset. Takes 15 minutes.
"""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.report import Figure, report
from tests.faults.thin_gateway import cross
from tests.faults.thin_line import RURAL

GOAL = 1.3
LIMIT_SECONDS = 1200.0


async def run() -> None:
    """Both kinds of cuts."""
    for name, resets in (("kept", False), ("reset", True)):
        with tempfile.TemporaryDirectory(prefix="exchange-bench-") as folder:
            shape = replace(RURAL, resets=resets)
            crossing = await asyncio.to_thread(
                cross, Path(folder), shape, bodies=12, letters=8, answers=4, limit=LIMIT_SECONDS
            )
        against = f"goal of {GOAL} bytes for each of content"
        report(Figure(f"thin_line.{name}", crossing.ratio, "bytes/byte", crossing.ratio / GOAL, against))
        report(Figure(f"thin_line.{name}.seconds", crossing.seconds, "s"))
        report(Figure(f"thin_line.{name}.cuts", crossing.cuts, "cuts"))
        report(Figure(f"thin_line.{name}.connections", crossing.connections, "connections"))
