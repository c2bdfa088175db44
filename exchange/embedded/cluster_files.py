"""What a cluster keeps in its folder: its ports, and storage that Kafka has formatted."""

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from exchange.domain.errors import EmbeddedError
from exchange.embedded.broker import ENVIRON, JavaProgram
from exchange.embedded.broker_files import Node
from exchange.embedded.errors import KafkaFailedError
from exchange.embedded.ports import becomes_free, choose_ports

_FORMAT_SECONDS = 180


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
    settled: list[Node] = []
    for number in range(1, count + 1):
        known = nodes[number - 1] if nodes else None
        if known and (number in running or _ports_are_free(known)):
            settled.append(known)
        else:
            taken = {port for node in (*nodes, *settled) for port in (node.client_port, node.controller_port)}
            clients, controllers = choose_ports(2, folder, taken)
            settled.append(Node(number, clients, controllers, folder / f"node-{number}"))
    _save(folder, settled)
    return tuple(settled)


def _ports_are_free(node: Node) -> bool:
    return becomes_free(node.client_port) and becomes_free(node.controller_port)


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
    tools = [_start_format(node, folder, program) for node in blank]
    codes = [_wait(tool) for tool in tools]
    for node, code in zip(blank, codes, strict=True):
        if code != 0:
            raise KafkaFailedError("could not format its storage", node.console)
        _formatted_mark(node).touch()


def _wait(tool: "subprocess.Popen[bytes]") -> int:
    try:
        return tool.wait(_FORMAT_SECONDS)
    except subprocess.TimeoutExpired:
        tool.kill()
        return tool.wait()


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
