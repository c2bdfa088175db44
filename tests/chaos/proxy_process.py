"""The proxy as a process: `ProxyProcess` starts it and tells it what to do, a line of JSON each.

    {"do": "listen", "name": "broker-1", "port": 20001, "upstream": 20002}
    {"do": "listen_unix", "name": "postgresql", "path": "…", "upstream": "…"}
    {"do": "know", "processes": {"router-1": 4711}}
    {"do": "turn", "line": ["router-1", "broker-1"], "weather": "CUT"}

Each is answered by `ok`. The process ends when nobody can tell it anything any more.
"""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import uvloop

from tests.chaos.proxy import Line, Proxy, Weather

OK = "ok"


class ProxyProcess:
    """A proxy in a process of its own; for any threads."""

    def __init__(self, seed: int) -> None:
        """Nothing is started; `seed` decides which pieces a lossy line loses."""
        self._seed = seed
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start it."""
        command = [sys.executable, "-m", "tests.chaos.proxy_process", str(self._seed)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it; everything that passes through is reset."""
        self._process.kill()
        self._process.communicate()

    def listen(self, name: str, port: int, upstream: int) -> None:
        """See `Proxy`."""
        self._tell(do="listen", name=name, port=port, upstream=upstream)

    def listen_unix(self, name: str, path: Path, upstream: Path) -> None:
        """See `Proxy`."""
        self._tell(do="listen_unix", name=name, path=str(path), upstream=str(upstream))

    def know(self, processes: Mapping[str, int]) -> None:
        """See `Proxy`."""
        self._tell(do="know", processes=dict(processes))

    def turn(self, line: Line, weather: Weather) -> None:
        """See `Proxy`."""
        self._tell(do="turn", line=line, weather=weather.name)

    def _tell(self, **command: Any) -> None:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            print(json.dumps(command), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline().strip()
        assert answer == OK, f"the proxy: {command} was answered by '{answer}'"


async def obey(proxy: Proxy) -> None:
    """Do what comes by standard input until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        match command.pop("do"):
            case "listen":
                await proxy.listen(**command)
            case "listen_unix":
                await proxy.listen_unix(**command)
            case "know":
                proxy.know(command["processes"])
            case "turn":
                dialler, dialled = command["line"]
                proxy.turn((dialler, dialled), Weather[command["weather"]])
        print(OK, flush=True)


if __name__ == "__main__":
    uvloop.run(obey(Proxy(Random(int(sys.argv[1])))))
