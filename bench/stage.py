"""A real exchange to measure: embedded Kafka with mTLS and ACLs, router processes, made-up bodies."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from exchange import system
from exchange.bus.administration import Administration
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import JOURNAL, inbox
from exchange.domain.directory import Directory, Names
from exchange.embedded import EmbeddedKafka, JavaProgram, cache_folder, ensure_jars, find_java, with_class_cache
from exchange.embedded.demo_bodies import DemoBody
from exchange.embedded.installation import SHAPE, Installer, grants, topics
from exchange.security.directory.folder import DirectoryFolder
from exchange.settings import TICK_SECONDS, operator_settings, router_settings
from exchange.settings.agent import agent_settings

POLICY = """
[letters]
clock_skew_seconds = 300
inline_bytes = 524288
[budget]
statements_per_second = 1000000
bytes_per_second = 2000000000
burst_seconds = 60
"""
WARM_BYTES = 8192
AT_ONCE = 200
"""Bodies in one request; the controller refuses one of ten thousand records."""


@dataclass
class Stage:
    """A running cluster with topics and rights; processes are started by the benches.

    Attributes:
        broker: number of the broker's process.
        processes: what `start` started.
    """

    folder: Path
    bodies: tuple[str, ...]
    directory: Directory
    broker: int
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def kafka(self, role: str) -> KafkaSettings:
        """How `router`, `operator` or a body connects."""
        environ: dict[str, str] = {}
        if role == "operator":
            return operator_settings(self.folder / "operator.toml", environ).kafka
        if role == "router":
            return router_settings(self.folder / "router.toml", environ).kafka
        return agent_settings(self.folder / f"agent-{role}.toml", environ).kafka

    def start_routers(self, count: int) -> None:
        """Start `exchange router` processes that share the lanes."""
        original = (self.folder / "router.toml").read_text()
        for index in range(count):
            config = self.folder / f"router-{index}.toml"
            config.write_text(_without_port(original))
            self.start("router", config)

    def start(self, command: str, config: Path) -> "subprocess.Popen[bytes]":
        """Start a process of the exchange; it is ended with the stage."""
        log = (self.folder / f"{config.stem}.log").open("wb")
        arguments = [sys.executable, "-m", "exchange.cli", *command.split(), "--config", str(config)]
        process = subprocess.Popen(arguments, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def check(self) -> None:
        """Make sure that every process still runs.

        Raises:
            RuntimeError: one ended; with the end of what it said.
        """
        for process in self.processes:
            if process.poll() is not None:
                logs = "\n".join(path.read_text()[-500:] for path in sorted(self.folder.glob("*.log")))
                message = f"a process ended with {process.returncode}: {logs}"
                raise RuntimeError(message)

    async def warm(self) -> None:
        """Write 8 KB to each inbox and journal partition: fresh ones are slow at first."""
        targets = [(inbox(body), 0) for body in self.bodies]
        targets += [(JOURNAL, partition) for partition in range(SHAPE.journal_partitions)]
        async with SubmissionProducer(self.kafka("operator")) as producer:
            for topic, partition in targets:
                await producer.send([Outgoing(bytes(WARM_BYTES))], topic=topic, partition=partition)


@asynccontextmanager
async def stage(bodies: Sequence[str], *, console: bool = False) -> AsyncIterator[Stage]:
    """An exchange with `bodies`, in a folder that is removed in the end; `console`: with its files, too."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        made_up = [_body(code) for code in bodies]
        installer = Installer(folder, made_up, system.now(), console=console, tick_seconds=TICK_SECONDS)
        (folder / "policy.toml").write_text(POLICY)
        cache = cache_folder(os.environ)
        program = with_class_cache(JavaProgram(find_java(os.environ), ensure_jars(cache)), cache, installer.tls)
        with EmbeddedKafka(folder / "kafka", program, tls=installer.tls) as kafka:
            installer.write_settings(kafka.bootstrap)
            made = Stage(folder, tuple(bodies), _directory(folder), kafka.brokers[0].pid or 0)
            async with Administration(made.kafka("operator")) as administration:
                for some in (bodies[at : at + AT_ONCE] for at in range(0, len(bodies), AT_ONCE)):
                    await administration.ensure_topics(topics(some))
                    await administration.ensure_access(grants(some))
            try:
                yield made
            finally:
                await asyncio.to_thread(_end, made.processes)


def resident_mb(pid: int) -> float:
    """Resident memory of a process, MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def peak_mb(pid: int) -> float:
    """The most resident memory that a process has had so far, MB."""
    (peak,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def _end(processes: list["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _body(code: str) -> DemoBody:
    return DemoBody(code, Names(code, code, code), "bench", (f"uid-{code}",), "", "infodocs")


def _directory(folder: Path) -> Directory:
    return DirectoryFolder.at(folder / "directory", folder / "authority" / "directory" / "1.root.json").latest()


def _without_port(text: str) -> str:
    """The same configuration observed on any free port, so that several can run."""
    lines = ("port = 0" if line.startswith("port =") else line for line in text.splitlines())
    return "\n".join(lines) + "\n"
