"""A stage for tests of whole processes: an exchange of made-up bodies on a broker of its own.

One broker and one exchange for all tests of a run, so its history grows as a real one does. Each
test takes bodies that nobody has used, says signed statements for them (`tests.world`), runs the
real commands as processes that it may kill or freeze, and in the end lets the `Checker` look at
everything that the exchange ever wrote.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.bus.administration import Administration
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import SUBMISSIONS
from exchange.domain.directory import Body, Names
from exchange.domain.ids import SERVICE_PREFIX, lane_of
from exchange.domain.statement import Signed
from exchange.embedded import EmbeddedKafka, JavaProgram, cache_folder, ensure_jars, find_java, with_class_cache
from exchange.embedded.cluster_files import settle_nodes
from exchange.embedded.demo_bodies import DemoBody
from exchange.embedded.installation import ADMIN, SHAPE, Installer, grants, topics
from exchange.embedded.installed import Installation, command
from exchange.embedded.processes import Watchdog
from exchange.embedded.speakers import SERVICES
from exchange.wire.records import encode
from tests.checker import Checker
from tests.patience import PATIENCE
from tests.plugin_kafka import PATIENT, SHORT_LIVED
from tests.published import directory_folder, publish
from tests.world import Speaker, World

BODIES = tuple(f"body-{number:02}" for number in range(80))
Front = Callable[[int], int]
"""Stands before the port that it is given; the port where it listens itself."""
LARGE = "write_bytes_per_second = 1000000000\nread_bytes_per_second = 1000000000\nrequest_percent = 10000\n"
"""Nobody is slowed here by a quota."""


class Process:
    """A process of the exchange, started by its command; it never outlives the test run."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        """Start it; what it prints is added to `log`."""
        self.log = log
        self._logged = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._watchdog = Watchdog(self._process.pid, signal.SIGKILL)

    @property
    def running(self) -> bool:
        """Whether it is there, frozen or not."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its number, for looking at it."""
        return self._process.pid

    @property
    def peak_bytes(self) -> int:
        """The most memory that it has held so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024

    @property
    def said(self) -> list[str]:
        """Lines that it printed."""
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            lines.seek(self._logged)
            return lines.readlines()

    def freeze(self) -> None:
        """SIGSTOP: its connections stay open and nothing answers; returns once it stands still."""
        self._process.send_signal(signal.SIGSTOP)
        state = Path(f"/proc/{self._process.pid}/stat")
        while state.read_text(encoding="ascii").rpartition(") ")[2][0] != "T":
            pass

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone; one that ended by itself is a failure."""
        assert self.running, self.said[-3:]
        self.close()

    def stop(self) -> int:
        """SIGTERM; its exit code. One that ended by itself is a failure."""
        assert self.running, self.said[-3:]
        self.thaw()
        self._process.terminate()
        return self._gone()

    def close(self) -> None:
        """Whatever it does: it is gone when this returns."""
        if self.running:
            self._process.kill()
        self._gone()

    def _gone(self) -> int:
        code = self._process.wait(PATIENCE)
        self._watchdog.dismiss()
        return code


class Stage:
    """The exchange of a test run: `world` has the bodies' keys, `checker` sees what was written."""

    def __init__(
        self,
        folder: Path,
        kafka: EmbeddedKafka,
        world: World,
        installer: Installer,
        bodies: Sequence[str] = BODIES,
    ) -> None:
        """Take a running broker that has topics and rights."""
        self.folder = folder
        self.kafka = kafka
        self.world = world
        self.installer = installer
        self.checker = Checker(self.settings(ADMIN), (*bodies, *SERVICES), SHAPE.lanes, SHAPE.journal_partitions)
        self._fresh = deque(bodies)

    @property
    def installation(self) -> Installation:
        """Files and configurations."""
        return self.installer.installation

    def settings(self, principal: str) -> KafkaSettings:
        """How a body or a service connects; `svc-admin` may do everything."""
        authority = self.world.authority
        is_service = principal.startswith(SERVICE_PREFIX)
        files = authority.service(principal) if is_service else authority.body(principal).transport
        root = authority.transport_root
        return KafkaSettings(self.kafka.bootstrap, root, files.certificate, files.key, line=PATIENT)

    def administration(self) -> Administration:
        """An administrator's client."""
        return Administration(self.settings(ADMIN), timeout_seconds=PATIENCE)

    def fresh(self, count: int) -> list[str]:
        """Bodies that no test has used."""
        return [self._fresh.popleft() for _ in range(count)]

    def neighbours(self, count: int, lane: int | None = None) -> list[str]:
        """Bodies that no test has used and that share a lane: this one, or that of which most are left."""
        lanes: defaultdict[int, list[str]] = defaultdict(list)
        for body in self._fresh:
            lanes[lane_of(body, SHAPE.lanes)].append(body)
        left = max(lanes.values(), key=len) if lane is None else lanes[lane]
        found = left[:count]
        assert len(found) == count, "the stage has no bodies left: give it more"
        for body in found:
            self._fresh.remove(body)
        return found

    def speaker(self, body: str) -> Speaker:
        """A body with a fresh origin."""
        return self.world.speaker(body)

    def register(self, *bodies: Body) -> None:
        """Publish the next version of the directory, with these bodies new or changed."""
        publish(self.installation.folder, self.world.authority, *bodies)

    def registered(self, code: str) -> Body:
        """A body as the newest directory has it."""
        return directory_folder(self.installation.folder, self.world.authority).latest().bodies[code]

    def directory_version(self) -> int:
        """Of the newest directory."""
        return directory_folder(self.installation.folder, self.world.authority).latest().version

    @contextmanager
    def running(self, role: str, *, name: str = "", without: str = "port = ") -> Iterator[Process]:
        """Run `exchange <role>` by its configuration, as it is or, with a name, without some lines of it.

        Args:
            role: as in the installation: `router`, `tracker`, `agent-<body>`.
            name: of this variant; several processes of one role have several names.
            without: what the lines begin with that the variant leaves out.
        """
        config = self.installation.config(role)
        if name:
            text = config.read_text(encoding="utf-8")
            config = config.with_stem(f"{role}-{name}")
            config.write_text(re.sub(rf"(?m)^{without}.*\n", "", text), encoding="utf-8")
        words = [sys.executable, "-m", "exchange.cli", *command(role), "--config", str(config)]
        process = Process(words, self.installation.log(config.stem))
        try:
            yield process
        finally:
            process.close()

    async def submit(self, body: str, said: Iterable[Signed]) -> None:
        """Write statements as the body's agent would: to its lane, in order."""
        await self.submit_bytes(body, [encode(signed) for signed in said])

    async def submit_bytes(self, body: str, values: Iterable[bytes | None], lane: int | None = None) -> None:
        """Write anything in the name of a body, to its own lane or any other."""
        partition = lane_of(body, SHAPE.lanes) if lane is None else lane
        records = [Outgoing(value, body.encode()) for value in values]
        async with SubmissionProducer(self.settings(body)) as producer:
            await producer.send(records, topic=SUBMISSIONS, partition=partition)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An exchange on its own broker, with a console's files, without any process yet."""
    with open_stage(tmp_path_factory.mktemp("stage"), BODIES, console=True) as prepared:
        yield prepared


@contextmanager
def open_stage(
    folder: Path, bodies: Sequence[str], front: Front | None = None, *, console: bool = False, tick_seconds: int = 30
) -> Iterator[Stage]:
    """An exchange of these bodies in a folder; `front` stands before its broker, everybody dials it."""
    now = datetime.now(UTC)
    world = World(folder / "authority", tuple(bodies), SHAPE.lanes, SHAPE.journal_partitions, now)
    installer = Installer(folder, [_body(code) for code in bodies], now, console=console, tick_seconds=tick_seconds)
    (folder / "quotas.toml").write_text("".join(f"[{name}]\n{LARGE}" for name in ("body", "others")))
    cache = cache_folder(os.environ)
    program = JavaProgram(find_java(os.environ), ensure_jars(cache))
    program = replace(with_class_cache(program, cache, installer.tls), options=SHORT_LIVED)
    place = installer.installation.kafka
    fronts = [] if front is None else [_fronted(place, front)]
    with EmbeddedKafka(place, program, tls=installer.tls, fronts=fronts) as kafka:
        installer.write_settings(kafka.bootstrap)
        prepared = Stage(folder, kafka, world, installer, bodies)
        asyncio.run(_furnish(prepared, bodies))
        yield prepared


def _fronted(folder: Path, front: Front) -> tuple[int, int]:
    """Ports of what stands before the broker, for clients and for controllers."""
    folder.mkdir(parents=True)
    (node,) = settle_nodes(folder, 1, ())
    return front(node.client_port), node.controller_port


async def _furnish(stage: Stage, bodies: Sequence[str]) -> None:
    async with stage.administration() as administration:
        assert await administration.ensure_topics(topics(bodies)) == []
        await administration.ensure_access(grants(bodies))


def _body(code: str) -> DemoBody:
    return DemoBody(code, Names(code, code, code), "ministry", (f"uid-{code}",), "", "infodocs")
