"""One broker's process: started, stopped, killed and frozen, by operators and by fault tests."""

import shutil
import signal
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from exchange.embedded.broker_files import Node
from exchange.embedded.java import Java
from exchange.embedded.processes import Child, ServerProcess

_MAIN = "kafka.Kafka"
_STORAGE_TOOL = "kafka.tools.StorageTool"
COLLECTOR = "-XX:+UseParallelGC"
"""With a small heap on few cores: what G1 does beside the work costs a sixth of the broker's time."""
STOP_SECONDS = 20
# The command line says everything: JAVA_TOOL_OPTIONS and the like of the user are not for us.
ENVIRON = {"LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class JavaProgram:
    """Java and Kafka's jars: how anything of Kafka's is run.

    Attributes:
        java: The runtime.
        jars: The class path.
        heap_mb: The most that Java's heap may take; the process takes 150 to 250 MB more.
        class_cache: File that makes starts faster (see `class_cache`).
        options: Further options for the Java of brokers.
    """

    java: Java
    jars: tuple[Path, ...]
    heap_mb: int = 512
    class_cache: Path | None = None
    options: tuple[str, ...] = ()

    @property
    def class_path(self) -> str:
        """The jars as Java takes them."""
        return ":".join(map(str, self.jars))

    def broker(self, node: Node) -> list[str]:
        """Return the command line of a broker."""
        return [*self._java(node), *self.options, *self._main(_MAIN), str(node.properties)]

    def storage_tool(self, node: Node, *arguments: str) -> list[str]:
        """Return the command line that formats a broker's storage."""
        return [*self._java(node), *self._main(_STORAGE_TOOL), *arguments]

    def _main(self, name: str) -> list[str]:
        return ["-cp", self.class_path, name]

    def _java(self, node: Node) -> list[str]:
        cached = [f"-XX:AOTCache={self.class_cache}"] if self.class_cache else []
        return [
            str(self.java.path),
            f"-Xmx{self.heap_mb}m",
            COLLECTOR,
            *cached,
            "-XX:+ExitOnOutOfMemoryError",
            # Both would leave files behind in the machine's folder for temporary ones.
            "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={node.scratch}",
            f"-XX:ErrorFile={node.log.parent}/java-crash-%p.log",
            "-Djava.awt.headless=true",
            "--enable-native-access=ALL-UNNAMED",
            f"-Dlog4j2.configurationFile={node.log_settings}",
        ]


class BrokerProcess:
    """Whatever process serves a node now, no matter who started it."""

    def __init__(self, node: Node) -> None:
        """Look at `node`; nothing is started."""
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

    def stop(self, patience_seconds: float = STOP_SECONDS) -> None:
        """End it in order (flushed, leadership handed over), by force when patience is over."""
        self.ask_to_stop()
        process = self._find()
        if process:
            with closing(process):
                stopped = process.wait(patience_seconds)
            if not stopped:
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL, wait=True)

    def pause(self) -> None:
        """Freeze it (SIGSTOP) and wait until it stands still: its connections stay open and nothing answers."""
        process = self._find()
        if process:
            with closing(process):
                process.send(signal.SIGSTOP)
                process.wait_frozen()

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
                    process.wait(STOP_SECONDS)


class Broker(BrokerProcess):
    """A node that this process can start."""

    def __init__(self, node: Node, program: JavaProgram, *, attached: bool) -> None:
        """Describe it; nothing is started.

        Args:
            node: Its files are written by `write_files` before a start.
            program: How it is run.
            attached: It ends when this process ends, however that happens.
        """
        super().__init__(node)
        self._program = program
        self._attached = attached
        self._child: Child | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there; for a moment after its start only we know, not its command line."""
        return self.ours or super().running

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
        shutil.rmtree(self.node.scratch, ignore_errors=True)
        self.node.scratch.mkdir()
        command = self._program.broker(self.node)
        self._child = Child(command, ENVIRON, self.node.console, attached=self._attached)

    def stop(self, patience_seconds: float = STOP_SECONDS) -> None:
        """End it in order, by force when patience is over."""
        super().stop(patience_seconds)
        self._forget()

    def kill(self) -> None:
        """End it as a power cut would."""
        super().kill()
        self._forget()

    def _forget(self) -> None:
        """Reap what has just ended; only what ends later ended by itself."""
        if self._child and self._child.ended:
            self._child = None
