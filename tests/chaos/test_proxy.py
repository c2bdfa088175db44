"""The proxy: fair lines carry every byte, and each weather breaks them in its own way."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random

import pytest

from exchange.embedded.ports import HOST, choose_ports
from tests.chaos.proxy import Streams, Weather
from tests.chaos.proxy_process import ProxyProcess
from tests.chaos.sockets import dialler
from tests.patience import PATIENCE

LINE = ("us", "echo")
SOON_SECONDS = 0.3


@asynccontextmanager
async def echo(folder: Path) -> AsyncIterator[tuple[ProxyProcess, int]]:
    """A server that answers what it is told, behind a proxy; the proxy's port."""
    answering: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.current_task())
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    front, back = choose_ports(2, folder)
    server = await asyncio.start_server(answer, HOST, back)
    with ProxyProcess(seed=1) as proxy:
        proxy.know({"us": os.getpid()})
        proxy.listen("echo", front, back)
        yield proxy, front
    server.close()
    await asyncio.gather(*filter(None, answering))


async def said(streams: Streams, data: bytes, seconds: float = SOON_SECONDS) -> bytes:
    """What comes back soon; empty when nothing does. Raises what the connection raises."""
    streams[1].write(data)
    try:
        async with asyncio.timeout(seconds):
            return await streams[0].readexactly(len(data))
    except TimeoutError:
        return b""


async def talk(streams: Streams, times: int) -> None:
    """Say something and wait for the answer, again and again."""
    for _ in range(times):
        assert await said(streams, b"word", PATIENCE) == b"word"


async def test_a_fair_line_carries_every_byte(tmp_path: Path) -> None:
    """A megabyte there and back, by a process that was recognised."""
    data = Random(2).randbytes(1_000_000)
    async with echo(tmp_path) as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()


async def test_a_cut_line_loses_nothing(tmp_path: Path) -> None:
    """Nothing passes while it is cut; what waited passes afterwards."""
    async with echo(tmp_path) as (proxy, port):
        streams = await asyncio.open_connection(HOST, port)
        assert await said(streams, b"one", PATIENCE) == b"one"
        proxy.turn(LINE, Weather.CUT)
        assert await said(streams, b"two") == b""
        proxy.turn(LINE, Weather.FAIR)
        assert await said(streams, b"three", PATIENCE) == b"twoth"
        streams[1].close()


async def test_another_line_is_not_touched(tmp_path: Path) -> None:
    """Weather is between two participants."""
    async with echo(tmp_path) as (proxy, port):
        proxy.turn(("somebody else", "echo"), Weather.REFUSED)
        streams = await asyncio.open_connection(HOST, port)
        assert await said(streams, b"one", PATIENCE) == b"one"
        streams[1].close()


async def connected_and_said(port: int, text: bytes) -> bytes:
    """What comes back on a connection of its own, which may be reset while it is made."""
    streams = await asyncio.open_connection(HOST, port)
    with closing(streams[1]):
        return await said(streams, text, PATIENCE)


async def test_a_line_that_is_refused_resets_who_comes(tmp_path: Path) -> None:
    """Connections that are opened now."""
    async with echo(tmp_path) as (proxy, port):
        proxy.turn(LINE, Weather.REFUSED)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await connected_and_said(port, b"one")


async def test_a_line_that_is_refused_resets_who_is_there(tmp_path: Path) -> None:
    """Connections that are open."""
    async with echo(tmp_path) as (proxy, port):
        streams = await asyncio.open_connection(HOST, port)
        with closing(streams[1]):
            assert await said(streams, b"one", PATIENCE) == b"one"
            proxy.turn(LINE, Weather.REFUSED)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await said(streams, b"two", PATIENCE)


@pytest.mark.parametrize("weather", [Weather.DEAF, Weather.MUTE])
async def test_a_half_open_line_swallows_one_way(tmp_path: Path, weather: Weather) -> None:
    """Nothing tells; when it is whole again, what has holes is reset.

    A proxy that stood still meanwhile has come to the words only when it was whole: then they are said again.
    """
    async with echo(tmp_path) as (proxy, port):
        streams = await asyncio.open_connection(HOST, port)
        assert await said(streams, b"one", PATIENCE) == b"one"
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await swallowed(proxy, streams, weather)
        streams[1].close()


async def swallowed(proxy: ProxyProcess, streams: Streams, weather: Weather) -> None:
    """Say something while one way is closed, until the connection breaks."""
    async with asyncio.timeout(PATIENCE):
        while True:
            proxy.turn(LINE, weather)
            assert await said(streams, b"two") == b""
            proxy.turn(LINE, Weather.FAIR)
            assert await streams[0].readexactly(3) == b"two"


async def test_a_lossy_line_is_reset_at_some_time(tmp_path: Path) -> None:
    """As often as a share of the pieces says."""
    async with echo(tmp_path) as (proxy, port):
        proxy.turn(LINE, Weather.LOSSY)
        streams = await asyncio.open_connection(HOST, port)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await talk(streams, 2_000)
        streams[1].close()


async def test_a_slow_line_is_slow(tmp_path: Path) -> None:
    """Every piece is late; none is lost."""
    async with echo(tmp_path) as (proxy, port):
        proxy.turn(LINE, Weather.SLOW)
        streams = await asyncio.open_connection(HOST, port)
        began = asyncio.get_running_loop().time()
        streams[1].write(b"word")
        assert await streams[0].readexactly(4) == b"word"
        assert asyncio.get_running_loop().time() - began > SOON_SECONDS * 0.9
        streams[1].close()


def test_a_unix_socket_s_dialler_is_known(tmp_path: Path) -> None:
    """By the credentials that the kernel keeps."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        accepted, _ = server.accept()
        with accepted:
            assert dialler(accepted, {"them": 1, "us": os.getpid()}) == "us"
            assert dialler(accepted, {"them": 1}) == ""
