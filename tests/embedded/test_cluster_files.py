"""What a cluster keeps between starts."""

import socket
from pathlib import Path

import pytest

from exchange.domain.errors import EmbeddedError
from exchange.embedded.cluster_files import saved_nodes, settle_nodes
from exchange.embedded.ports import HOST


def test_ports_are_kept(tmp_path: Path) -> None:
    """The second start finds the ports of the first."""
    first = settle_nodes(tmp_path, 3, running=())
    assert settle_nodes(tmp_path, 3, running=()) == first == saved_nodes(tmp_path)
    assert len({port for node in first for port in (node.client_port, node.controller_port)}) == 6


def test_a_port_that_a_stranger_took_is_changed(tmp_path: Path) -> None:
    """The node whose port is taken moves, the others stay; one that runs holds its own port."""
    first = settle_nodes(tmp_path, 3, running=())
    with socket.create_server((HOST, first[1].client_port)):
        assert settle_nodes(tmp_path, 3, running={2}) == first
        moved = settle_nodes(tmp_path, 3, running=())
    assert (moved[0], moved[2]) == (first[0], first[2])
    assert moved[1].client_port != first[1].client_port
    assert len({port for node in moved for port in (node.client_port, node.controller_port)}) == 6


def test_another_size_is_refused(tmp_path: Path) -> None:
    """A cluster of three does not become one of one by an option."""
    settle_nodes(tmp_path, 3, running=())
    with pytest.raises(EmbeddedError, match="3 nodes, not 1") as refused:
        settle_nodes(tmp_path, 1, running=())
    assert refused.value.code == "embedded-other-size"


@pytest.mark.parametrize("rest", [b"", b'{"ports": [[2'])
def test_a_half_written_file_is_no_cluster(tmp_path: Path, rest: bytes) -> None:
    """A crash while saving costs the ports, not the start."""
    (tmp_path / "ports.json").write_bytes(rest)
    assert saved_nodes(tmp_path) == ()
    assert len(settle_nodes(tmp_path, 1, running=())) == 1
