"""Apache Kafka on this machine: one broker for trying out, three for fault tests.

Each node is broker and controller (KRaft). Everything is in the cluster's folder: `ports.json`,
and `node-N` with a broker's files, data and logs. A crash leaves nothing to clean up: locks are
the kernel's, processes are found by their command lines, and Kafka recovers its own data.
"""

import ssl
import struct
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange.embedded.broker import STOP_SECONDS, Broker, BrokerProcess, JavaProgram
from exchange.embedded.broker_files import Node, write_files
from exchange.embedded.cluster_files import format_storage, saved_nodes, settle_nodes
from exchange.embedded.errors import KafkaFailedError
from exchange.embedded.locking import exclusive
from exchange.embedded.ports import HOST
from exchange.embedded.probe import live_brokers
from exchange.embedded.space import space_for
from exchange.embedded.tls import ClusterTls

_START_SECONDS = 180
_NODE_BYTES = 100_000_000
_WAKE_SECONDS = 60
_PROBE_SECONDS = 10
_POLL_SECONDS = 0.1


class EmbeddedKafka:
    """A cluster in a folder of its own.

    `with EmbeddedKafka(...) as kafka:` starts what does not run, waits until the cluster answers,
    and on the way out ends only what it started; `start` and `stop` are the same by hand. What
    another process left running is used as it is.

    Attributes:
        folder: Where it keeps everything.
        tls: Its identities.
    """

    def __init__(
        self,
        folder: Path,
        program: JavaProgram,
        *,
        tls: ClusterTls,
        nodes: int = 1,
        fronts: Sequence[tuple[int, int]] = (),
        detached: bool = False,
    ) -> None:
        """Describe the cluster; nothing is written or started.

        Args:
            folder: Where it keeps ports, data and logs; made when missing.
            program: Java and Kafka's jars (`find_java`, `ensure_jars`).
            tls: Who the brokers and the administrator are: the cluster's super users.
            nodes: 1, or 3: every topic copied to all, two in-sync copies required.
            fronts: For each node the ports of what stands before its own, for clients and for
                controllers: brokers and clients dial these. By default nothing stands there.
            detached: The brokers outlive this process. Otherwise they end with it, even when it is
                killed.
        """
        self.folder = folder.absolute()
        self._program = program
        self.tls = tls
        self._size = nodes
        self._fronts = tuple(fronts) or (None,) * nodes
        self._detached = detached
        self._brokers: tuple[Broker, ...] = ()

    @property
    def brokers(self) -> tuple[Broker, ...]:
        """The nodes in order, each with start, stop, kill, pause and resume; none before start."""
        return self._brokers

    @property
    def bootstrap(self) -> str:
        """`host:port` of every node, separated by commas."""
        return ",".join(f"{HOST}:{broker.node.dialled[0]}" for broker in self._brokers)

    def __enter__(self) -> Self:
        """Start what does not run."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what this object started, unless it is detached."""
        if not self._detached:
            self.stop()

    def start(self) -> None:
        """Start what does not run and wait until every broker answers over mutual TLS.

        Raises:
            KafkaFailedError: `embedded-kafka-failed` with the end of the log; what was started
                is ended again.
            EmbeddedError: `embedded-other-size`.
            SpaceMissingError: `embedded-no-space`.
        """
        with space_for(self.folder, self._size * _NODE_BYTES), exclusive(self.folder):
            live = self._answering()
            settled = settle_nodes(self.folder, self._size, live)
            nodes = [replace(node, fronts=fronts) for node, fronts in zip(settled, self._fronts, strict=True)]
            # A node of ours that runs keeps its object: its watchdog would bite if that went.
            known = {broker.node: broker for broker in self._brokers}
            self._brokers = tuple(known.get(node) or self._broker(node) for node in nodes)
            fresh = [broker for broker in self._brokers if broker.node.number not in live]
            self._prepare([broker.node for broker in fresh], nodes)
            with ExitStack() as undo:
                undo.callback(_stop_all, fresh)
                for broker in fresh:
                    broker.start()
                self.wait_ready()
                undo.pop_all()

    def stop(self, patience_seconds: float = STOP_SECONDS) -> None:
        """End the brokers that this object started, by force when patience is over."""
        _stop_all([broker for broker in self._brokers if broker.ours], patience_seconds)

    def wait_ready(self, live: int | None = None, seconds: float = _START_SECONDS) -> None:
        """Wait until the running brokers answer and agree that enough of them are live.

        Args:
            live: How many live brokers each must know of; by default all of the cluster.
            seconds: How long.

        Raises:
            KafkaFailedError: None runs, one ended by itself, or the time is over.
        """
        context = self.tls.admin_context()
        wanted = self._size if live is None else live
        deadline = time.monotonic() + seconds
        waiting = [b for b in self._brokers if b.running or b.ended_by_itself]
        if not waiting:
            raise KafkaFailedError("does not run", _telling_log(self._brokers[0].node))
        while waiting := [b for b in waiting if _live_known_to(b.node, context) < wanted]:
            if ended := [b for b in waiting if b.ended_by_itself]:
                raise KafkaFailedError("ended by itself", _telling_log(ended[0].node))
            if time.monotonic() > deadline:
                reason = f"did not answer within {seconds:.0f} s"
                raise KafkaFailedError(reason, _telling_log(waiting[0].node))
            time.sleep(_POLL_SECONDS)

    def _broker(self, node: Node) -> Broker:
        return Broker(node, self._program, attached=not self._detached)

    def _prepare(self, fresh: Sequence[Node], nodes: Sequence[Node]) -> None:
        for node in fresh:
            write_files(node, nodes, self.tls)
        format_storage(fresh, self.folder, self._program)

    def _answering(self) -> set[int]:
        """Return the numbers of brokers that run and answer; end those that run and are deaf.

        Frozen ones are woken. Deaf are those whose certificates are no longer ours, or that hang.
        """
        context = self.tls.admin_context()
        answering = set()
        for broker in running_brokers(self.folder):
            broker.resume()
            if _answers_in_time(broker.node, context):
                answering.add(broker.node.number)
            else:
                broker.kill()
        return answering


def running_brokers(folder: Path) -> list[BrokerProcess]:
    """Return the processes of the cluster in `folder`, whoever started them."""
    processes = [BrokerProcess(node) for node in saved_nodes(folder.absolute())]
    return [process for process in processes if process.running]


def stop_brokers(folder: Path) -> int:
    """End all brokers of the cluster in `folder`, whoever started them; return how many."""
    running = running_brokers(folder)
    _stop_all(running)
    return len(running)


def _stop_all(brokers: Sequence[BrokerProcess], patience_seconds: float = STOP_SECONDS) -> None:
    """Ask all before waiting for any: a quorum shrinks only once."""
    for broker in brokers:
        broker.ask_to_stop()
    for broker in brokers:
        broker.stop(patience_seconds)


def _live_known_to(node: Node, context: ssl.SSLContext) -> int:
    try:
        return len(live_brokers(node.client_port, context, _PROBE_SECONDS))
    except (OSError, struct.error):
        return 0


def _answers_in_time(node: Node, context: ssl.SSLContext) -> bool:
    deadline = time.monotonic() + _WAKE_SECONDS
    while time.monotonic() < deadline:
        try:
            live_brokers(node.client_port, context, _PROBE_SECONDS)
        except (ssl.SSLError, struct.error):
            return False
        except OSError:
            time.sleep(_POLL_SECONDS)
        else:
            return True
    return False


def _telling_log(node: Node) -> Path:
    """The log that was written last: Kafka's own, or the console when Java itself has the complaint."""
    logs = [log for log in (node.log, node.console) if log.exists()]
    return max(logs, key=lambda log: log.stat().st_mtime_ns, default=node.log)
