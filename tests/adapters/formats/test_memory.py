"""The heaviest inputs stay within a bound of memory, whatever becomes of them."""

import json
import subprocess
import sys

from adapters.plugins import formats
from tests.patience import PATIENCE

PEAK_MB = 256
"""Of the whole process, the input itself included; inputs are up to 64 MB."""


def test_no_input_takes_more_than_its_bound() -> None:
    """Ten million elements, a whole file of brackets, base64 with blanks: each in every format."""
    command = [sys.executable, "-m", "tests.adapters.formats.heavy"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["format"] for each in measured} == {*formats(), ""}
    assert [each for each in measured if each["peak_mb"] > PEAK_MB] == []
