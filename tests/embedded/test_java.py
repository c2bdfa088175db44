"""Finding a Java that runs Kafka."""

from pathlib import Path

import pytest

from exchange.embedded.errors import JavaMissingError
from exchange.embedded.java import choose_java, find_java


def _java(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-21' >&2\n")
    path.chmod(0o755)
    return path


def test_old_ones_are_passed_over(tmp_path: Path) -> None:
    """Java 8 (which calls itself 1.8), 11, a broken file and a missing one lose against 17."""
    broken = tmp_path / "broken"
    broken.write_text("")
    old = [_java(tmp_path / "8" / "java", "1.8.0_392"), _java(tmp_path / "11" / "java", "11.0.20")]
    good = _java(tmp_path / "17" / "java", "17.0.9")
    java = choose_java([*old, broken, tmp_path / "missing", good])
    assert (java.path, java.major) == (good, 17)


def test_none_says_what_was_found(tmp_path: Path) -> None:
    """The error names each candidate with its version and the way out."""
    old = _java(tmp_path / "java", "11.0.20")
    with pytest.raises(JavaMissingError, match=r"java \(version 11\).*exchange\[embedded\]") as refused:
        choose_java([old])
    assert refused.value.code == "embedded-java-missing"
    with pytest.raises(JavaMissingError, match="found: none"):
        choose_java([])


def test_the_wheels_java_is_found_without_any_other() -> None:
    """An empty environment is enough where the extra is installed."""
    java = find_java({})
    assert java.major >= 17
    assert java.path.exists()
