"""One process at a time."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from exchange.embedded.locking import exclusive

_HOLDER = """
import sys, time
from pathlib import Path
from exchange.embedded.locking import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_waits_and_goes_with_its_process(tmp_path: Path) -> None:
    """Another process waits; kill -9 of the holder lets it in."""
    with subprocess.Popen([sys.executable, "-c", _HOLDER, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with subprocess.Popen([sys.executable, "-c", _HOLDER, tmp_path], stdout=subprocess.PIPE) as waiter:
            time.sleep(0.3)
            assert waiter.poll() is None
            holder.send_signal(signal.SIGKILL)
            assert waiter.stdout
            assert waiter.stdout.readline() == b"held\n"
            waiter.kill()
    with exclusive(tmp_path):
        assert (tmp_path / "lock").exists()
