"""Packages a second through the folder connector while 100,000 wait, beside the same with 10,000.

Collected in rounds of 50 as the agent does, each archived durably. Beside both in the same run: the
rounds' own work without archiving, which is all that could grow with what waits.
"""

import tempfile
import time
from pathlib import Path

from adapters.connectors.folder import FolderConnector
from bench.report import Figure, report

FEW, MANY = 10_000, 100_000
ROUND = 50
TAKEN = 1_500
"""So many are taken of each folder, after the first round has looked at them."""


async def run() -> None:
    """A folder with few, then one with many."""
    few, many = (_taken(waiting) for waiting in (FEW, MANY))
    report(Figure("folder.taken", TAKEN / sum(many), "packages/s", sum(few) / sum(many), f"{FEW} waiting"))
    report(Figure("folder.collect", TAKEN / many[0], "packages/s", few[0] / many[0], f"{FEW} waiting"))


def _taken(waiting: int) -> tuple[float, float]:
    """Seconds of collecting and of archiving."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        root = Path(name)
        connector = FolderConnector(root)
        for number in range(waiting):
            (root / "out" / f"{number:06}.xml").write_bytes(b"<letter/>")
        list(connector.collect(0))
        collecting = archiving = 0.0
        left = TAKEN
        while left > 0:
            began = time.perf_counter()
            packages = [package.name for package in connector.collect(ROUND)]
            collected = time.perf_counter()
            for package in packages:
                connector.archive(package)
            collecting += collected - began
            archiving += time.perf_counter() - collected
            left -= len(packages)
        return collecting, archiving
