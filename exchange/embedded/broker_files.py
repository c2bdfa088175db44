"""The files that one broker reads: its properties and its log configuration.

All are written anew before each start, so a moved folder, a changed port or a new certificate
needs no other care.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.embedded.ports import HOST
from exchange.embedded.tls import ClusterTls

# The principal is the common name and nothing else (a body's code, or svc-...): DNs come in
# RFC 2253 form, and a name without CN matches no rule and is refused.
_PRINCIPAL_RULE = "RULE:^(?:.*,)?CN=([^,]+)(?:,.*)?$/$1/"

_SHARED = {
    "process.roles": "broker,controller",
    "listener.security.protocol.map": "CLIENTS:SSL,CONTROLLER:SSL",
    "inter.broker.listener.name": "CLIENTS",
    "controller.listener.names": "CONTROLLER",
    "ssl.client.auth": "required",
    "ssl.keystore.type": "PEM",
    "ssl.truststore.type": "PEM",
    "ssl.principal.mapping.rules": _PRINCIPAL_RULE,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "auto.create.topics.enable": "false",
    # Frozen transactions block readers: look for them every second, not every ten.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.partition.verification.enable": "true",
    # Any body may write in the name of producers that never were, 260 bytes of heap each: forget them soon.
    "producer.id.expiration.ms": "60000",
    "producer.id.expiration.check.interval.ms": "10000",
    # A body's quota is of two seconds, not of eleven: whoever was silent may not flood its lane for ten.
    "quota.window.num": "2",
    "group.initial.rebalance.delay.ms": "0",
    "broker.heartbeat.interval.ms": "500",
    # Sized for one machine with few cores and a small heap.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "log.cleaner.dedupe.buffer.size": "8388608",
}

_LOG4J = """\
<Configuration status="ERROR" shutdownHook="disable">
  <Appenders>
    <RollingFile name="file" fileName="{log}" filePattern="{log}.%i">
      <PatternLayout pattern="%d{{ISO8601}} %p %m (%c)%n"/>
      <SizeBasedTriggeringPolicy size="10 MB"/>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Root level="INFO"><AppenderRef ref="file"/></Root>
    <!-- 120 lines of settings at each start, and of every client inside the broker. -->
    <Logger name="org.apache.kafka.common.config.AbstractConfig" level="WARN"/>
    <Logger name="kafka.server.KafkaConfig" level="WARN"/>
  </Loggers>
</Configuration>
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One broker's number, ports and folder.

    Attributes:
        fronts: Ports that everybody dials instead, clients' and controllers', when something stands before it.
    """

    number: int
    client_port: int
    controller_port: int
    folder: Path
    fronts: tuple[int, int] | None = None

    @property
    def dialled(self) -> tuple[int, int]:
        """Ports under which clients and controllers find it."""
        return self.fronts or (self.client_port, self.controller_port)

    @property
    def properties(self) -> Path:
        """The broker's `server.properties`; its path also tells its process from others."""
        return self.folder / "server.properties"

    @property
    def data(self) -> Path:
        """Kafka's own files."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Kafka's log."""
        return self.folder / "logs" / "kafka.log"

    @property
    def console(self) -> Path:
        """What the process prints before it logs."""
        return self.folder / "logs" / "console.log"

    @property
    def log_settings(self) -> Path:
        """The configuration of log4j2."""
        return self.folder / "log4j2.xml"

    @property
    def scratch(self) -> Path:
        """Where Java unpacks native libraries; emptied before each start."""
        return self.folder / "tmp"


def write_files(node: Node, nodes: Sequence[Node], tls: ClusterTls) -> None:
    """Write what `node` of the cluster `nodes` reads when it starts."""
    for folder in (node.data, node.log.parent, node.scratch):
        folder.mkdir(parents=True, exist_ok=True)
    settings = {**_SHARED, **_of_identities(tls), **_of_cluster(nodes), **_of_node(node)}
    node.properties.write_text(_as_properties(settings), encoding="ascii")
    node.log_settings.write_text(_LOG4J.format(log=node.log), encoding="utf-8")


def _of_identities(tls: ClusterTls) -> dict[str, str]:
    return {
        "ssl.keystore.location": str(tls.keystore.absolute()),
        "ssl.truststore.location": str(tls.ca.absolute()),
        "super.users": ";".join(f"User:{name}" for name in tls.super_users),
    }


def _of_cluster(nodes: Sequence[Node]) -> dict[str, str]:
    copies = str(len(nodes))
    voters = ",".join(f"{node.number}@{HOST}:{node.dialled[1]}" for node in nodes)
    in_sync = str(max(1, len(nodes) - 1))
    # A killed broker may come back, and its leadership goes to others, after 3 s instead of 9. Alone it has nobody to
    # lead instead: given up for having stood still, it would leave transactions open for ever (KAFKA-20734).
    session = "20000" if len(nodes) == 1 else "3000"
    return {
        "broker.session.timeout.ms": session,
        "controller.quorum.voters": voters,
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def _of_node(node: Node) -> dict[str, str]:
    return {
        "node.id": str(node.number),
        "listeners": _listeners(node.client_port, node.controller_port),
        "advertised.listeners": _listeners(*node.dialled),
        "log.dirs": str(node.data),
    }


def _listeners(clients: int, controllers: int) -> str:
    return f"CLIENTS://{HOST}:{clients},CONTROLLER://{HOST}:{controllers}"


def _as_properties(settings: Mapping[str, str]) -> str:
    """Write Java properties: ASCII with escapes, so any folder name survives."""
    return "".join(f"{key}={_escape(value)}\n" for key, value in settings.items())


def _escape(value: str) -> str:
    r"""Escape backslashes and what is not ASCII (`java.util.Properties`: \\uXXXX in UTF-16)."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if 32 <= code < 127 else f"\\u{code:04x}" for code in codes)
