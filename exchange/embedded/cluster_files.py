"""What a cluster keeps in its folder: its ports, and storage that Kafka has formatted."""

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from exchange.domain.errors import EmbeddedError
from exchange.embedded.broker import ENVIRON, JavaProgram
from exchange.embedded.broker_files import Node
from exchange.embedded.errors import KafkaFailedError
from exchange.embedded.ports import becomes_free, choose_ports

_FORMAT_SECONDS = 60


def saved_nodes(folder: Path) -> tuple[Node, ...]:
    """Return the nodes of the cluster in `folder`; none before its first start."""
    try:
        saved = json.loads(_ports_file(folder).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        # Half-written by a crash: ports can be chosen again, the data does not depend on them.
        return ()
    return tuple(
        Node(number, clients, controllers, folder / f"node-{number}")
        for number, (clients, controllers) in enumerate(saved["ports"], start=1)
    )


def settle_nodes(folder: Path, count: int, running: Collection[int]) -> tuple[Node, ...]:
    """Return `count` nodes with their ports, the saved ones where they still can be had.

    Args:
        folder: The cluster's.
        count: How many nodes the cluster has.
        running: Numbers of nodes that run and so hold their ports.

    Raises:
        EmbeddedError: `embedded-other-size`: the folder holds a cluster of another size.
    """
    nodes = saved_nodes(folder)
    if nodes and len(nodes) != count:
        raise EmbeddedError(
            f"{folder} holds a cluster of {len(nodes)} nodes, not {count}: name another folder, "
            "or remove this one with all its data.",
            code="embedded-other-size",
        )
    if not nodes:
        ports = choose_ports(2 * count, folder)
        nodes = tuple(
            Node(number, ports[2 * number - 2], ports[2 * number - 1], folder / f"node-{number}")
            for number in range(1, count + 1)
        )
    nodes = tuple(n if n.number in running else _with_free_ports(n, nodes) for n in nodes)
    _save(folder, nodes)
    return nodes


def _with_free_ports(node: Node, nodes: Sequence[Node]) -> Node:
    if becomes_free(node.client_port) and becomes_free(node.controller_port):
        return node
    taken = {port for other in nodes for port in (other.client_port, other.controller_port)}
    clients, controllers = choose_ports(2, node.folder, taken)
    return replace(node, client_port=clients, controller_port=controllers)


def _ports_file(folder: Path) -> Path:
    return folder / "ports.json"


def _save(folder: Path, nodes: Sequence[Node]) -> None:
    ports = [(node.client_port, node.controller_port) for node in nodes]
    fresh = folder / "ports.json.new"
    fresh.write_text(json.dumps({"ports": ports}))
    fresh.replace(_ports_file(folder))


def format_storage(nodes: Sequence[Node], folder: Path, program: JavaProgram) -> None:
    """Format the storage of the nodes that have none, all at the same time.

    Raises:
        KafkaFailedError: `embedded-kafka-failed`, with what the tool printed.
    """
    blank = [node for node in nodes if not _formatted_mark(node).exists()]
    running = [(node, _start_format(node, folder, program)) for node in blank]
    for node, tool in running:
        if tool.wait(_FORMAT_SECONDS) != 0:
            raise KafkaFailedError("could not format its storage", node.console)
        _formatted_mark(node).touch()


def _formatted_mark(node: Node) -> Path:
    # Kafka's own mark is written before the tool is done: a crash between would pass for formatted.
    return node.folder / "formatted"


def _start_format(node: Node, folder: Path, program: JavaProgram) -> "subprocess.Popen[bytes]":
    shutil.rmtree(node.data, ignore_errors=True)
    node.data.mkdir()
    arguments = [f"--cluster-id={_cluster_id(folder)}", "--config", str(node.properties)]
    with node.console.open("wb") as output:
        return subprocess.Popen(
            program.storage_tool(node, "format", *arguments),
            env=ENVIRON,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _cluster_id(folder: Path) -> str:
    """Return 16 bytes in Kafka's base64 form; the same for all nodes because of the same folder."""
    digest = hashlib.sha256(str(folder).encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
