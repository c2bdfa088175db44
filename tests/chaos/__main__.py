"""`python -m tests.chaos --seed 1 --faults 100`: puts an exchange under fire and says whether it kept its promises.

Exit code 1 when it did not; the folder of such a run is kept and named, that of any other one removed.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.disks import namespace
from tests.chaos.faults import every_fault, not_run
from tests.chaos.history import read_history
from tests.chaos.nemesis import plan
from tests.chaos.run import Run
from tests.chaos.site import running_site
from tests.chaos.summary import summary
from tests.checker import Violation

SECONDS_PER_FAULT = 3.0
"""Shorter than most last, so that several come together."""
SHOWN = 40
"""Violations at most; the rest is counted."""


def main() -> int:
    """Run once; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides which faults come when")
    parser.add_argument("--faults", type=int, default=100, help="how many")
    parser.add_argument("--seconds", type=float, help="in which they begin (3 for each)")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that passed, too")
    parser.add_argument("--disks", action="store_true", help="what states lie on may be mounted (set by itself)")
    options = parser.parse_args()
    if not options.disks and (command := namespace()):
        again = [*command, sys.executable, "-m", "tests.chaos", *sys.argv[1:], "--disks"]
        os.execvp(again[0], again)  # noqa: S606 - an argument list, no shell
    folder = Path(tempfile.mkdtemp(prefix="exchange-chaos-"))
    print(f"seed {options.seed}, {options.faults} faults, in {folder}", flush=True)
    found = _run(folder, options)
    if not found and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if found else 0


def _run(folder: Path, options: argparse.Namespace) -> list[Violation]:
    began = time.monotonic()
    with running_site(folder, options.seed, disks=options.disks) as site:
        print(f"up after {time.monotonic() - began:.0f} s", flush=True)
        faults = every_fault(site)
        seconds = options.seconds or SECONDS_PER_FAULT * options.faults
        run = Run(site, plan(faults, options.faults, seconds, options.seed), options.seed)
        found = asyncio.run(run.carry_out())
        print("\n".join(summary(read_history(run.histories.iterdir()), site.keeper.ends, faults)))
        print(f"quiet {run.quiet_after:.0f} s after the last fault, {time.monotonic() - began:.0f} s in all")
        for kind in not_run(site):
            print(f"NOT RUN {kind}")
        for violation in found[:SHOWN]:
            print(f"VIOLATION {violation}")
        print(f"{len(found)} violations", flush=True)
        if found or options.keep:
            for name, disk in site.disks.items():
                disk.keep(folder / "kept" / name)
            print(f"kept in {folder}: logs/, histories/, kept/", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
