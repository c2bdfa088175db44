"""Ports below the ephemeral range."""

import socket
from pathlib import Path

from exchange.embedded.ports import FIRST_PORT, HOST, LAST_PORT, choose_ports, is_free


def test_chosen_ports_are_distinct_free_and_in_range() -> None:
    """Six ports for three nodes, all below where the kernel takes its own from."""
    ports = choose_ports(6, Path("/a"))
    assert len(set(ports)) == 6
    assert all(FIRST_PORT <= port <= LAST_PORT and is_free(port) for port in ports)


def test_a_folder_gets_the_same_ports_again_and_others_get_others() -> None:
    """The search begins at a place that the folder's name gives."""
    assert choose_ports(2, Path("/a")) == choose_ports(2, Path("/a"))
    assert choose_ports(2, Path("/a")) != choose_ports(2, Path("/b"))


def test_listened_and_taken_ports_are_passed_over() -> None:
    """A port with a listener is not free; one that a neighbour will use is not chosen."""
    first, second = choose_ports(2, Path("/a"))
    with socket.create_server((HOST, first)):
        assert not is_free(first)
        assert choose_ports(1, Path("/a"), taken={second})[0] not in {first, second}
