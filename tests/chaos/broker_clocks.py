"""Clocks of brokers that can be stepped: Java with a library before the C library's clock.

It is compiled from `stepped_clock.c`. Where there is no C compiler brokers keep the machine's time, and the run says
so.
"""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from exchange.embedded import Java

SOURCE = Path(__file__).with_name("stepped_clock.c")
_WRAPPER = """#!/bin/sh
# The last argument is the node's server.properties.
for last; do :; done
node=${{last%/*}}
export LD_PRELOAD='{library}' STEPPED_CLOCK="{clocks}/broker-${{node##*-}}"
exec '{java}' "$@"
"""


def compiler() -> str | None:
    """A C compiler of this machine."""
    return shutil.which("cc")


def library(folder: Path) -> Path:
    """Compile it into `folder`; there is a compiler."""
    made = folder / "stepped_clock.so"
    command = [compiler() or "cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return made


def stepped(java: Java, folder: Path, clocks: Path) -> Java:
    """Java whose brokers go by the clocks `broker-1`, … in `clocks`; what it needs is made in `folder`."""
    wrapper = folder / "java"
    wrapper.write_text(_WRAPPER.format(library=library(folder), clocks=clocks, java=java.path), encoding="utf-8")
    wrapper.chmod(0o755)
    return replace(java, path=wrapper)
