"""One broker's process: started, stopped, killed and frozen, by operators and by fault tests."""

import shutil
import signal
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from exchange.embedded.broker_files import Node
from exchange.embedded.processes import Child, ServerProcess

_MAIN = "kafka.Kafka"
_STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class JavaProgram:
    """Java and Kafka's jars: how anything of Kafka's is run."""

    java: Path
    jars: tuple[Path, ...]
    heap_mb: int = 512

    def command(self, node: Node, main: str, *arguments: str) -> list[str]:
        """Return the command line that runs class ``main`` for ``node``."""
        return [
            str(self.java),
            f"-Xmx{self.heap_mb}m",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            f"-XX:ErrorFile={node.log.parent}/java-crash-%p.log",
            f"-Djava.io.tmpdir={node.scratch}",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={node.log_settings}",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            ":".join(map(str, self.jars)),
            main,
            *arguments,
        ]


class BrokerProcess:
    """Whatever process serves a node now, no matter who started it."""

    def __init__(self, node: Node) -> None:
        """Look at ``node``; nothing is started."""
        self.node = node

    @property
    def running(self) -> bool:
        """Whether the process is there, frozen or not."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The process's number, for looking at it; signals go by the methods."""
        process = self._find()
        if process is None:
            return None
        with closing(process):
            return process.pid

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return; a frozen one is woken, else it would never hear."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it in order (flushed, leadership handed over), by force after 20 s."""
        self.ask_to_stop()
        process = self._find()
        if process:
            with closing(process):
                stopped = process.wait(_STOP_SECONDS)
            if not stopped:
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL, wait=True)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): its connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen one go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def _find(self) -> ServerProcess | None:
        return ServerProcess.find(_MAIN, str(self.node.properties))

    def _signal(self, number: signal.Signals, *, wait: bool = False) -> None:
        process = self._find()
        if process:
            with closing(process):
                process.send(number)
                if wait:
                    process.wait(_STOP_SECONDS)


class Broker(BrokerProcess):
    """A node that this process can start."""

    def __init__(self, node: Node, program: JavaProgram, *, attached: bool) -> None:
        """Describe it; nothing is started.

        Args:
            node: Its files are written by ``write_files`` before a start.
            program: How it is run.
            attached: It ends when this process ends, however that happens.
        """
        super().__init__(node)
        self._program = program
        self._attached = attached
        self._child: Child | None = None

    @property
    def ours(self) -> bool:
        """Whether this object started the process that now runs."""
        return self._child is not None and not self._child.ended

    @property
    def ended_by_itself(self) -> bool:
        """Whether this object started it and it is gone without having been told so."""
        return self._child is not None and self._child.ended

    def start(self) -> None:
        """Start the process and return at once; a running one is left alone."""
        if self.running:
            return
        self._release()
        shutil.rmtree(self.node.scratch, ignore_errors=True)
        self.node.scratch.mkdir()
        command = self._program.command(self.node, _MAIN, str(self.node.properties))
        self._child = Child(command, self.node.console, attached=self._attached)

    def stop(self) -> None:
        """End it in order, by force after 20 s."""
        super().stop()
        self._release()

    def kill(self) -> None:
        """End it as a power cut would."""
        super().kill()
        self._release()

    def _release(self) -> None:
        if self._child:
            self._child.release()
            self._child = None
