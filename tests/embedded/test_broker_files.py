"""What a broker is told."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.embedded.broker_files import _PRINCIPAL_RULE, Node, _as_properties, write_files
from exchange.embedded.tls import ClusterTls


def _node(number: int, folder: Path) -> Node:
    return Node(number, 20_000 + number, 21_000 + number, folder / f"node-{number}")


def _read(properties: Path) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in properties.read_text(encoding="ascii").splitlines())
    return {key: _unescape(value) for key, value in pairs}


def _unescape(value: str) -> str:
    """Do what `java.util.Properties` does, by its documentation."""
    plain = re.sub(r"\\u([0-9a-f]{4})|\\(.)", lambda m: chr(int(m[1], 16)) if m[1] else m[2], value)
    return plain.encode("utf-16-be", "surrogatepass").decode("utf-16-be")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_value_survives_java_properties(value: str) -> None:
    """Cyrillic folders, backslashes, line ends and emoji come back as they were."""
    written = _as_properties({"key": value})
    assert written.count("\n") == 1
    assert _unescape(written.removeprefix("key=").removesuffix("\n")) == value


def test_a_single_node_keeps_one_copy(tmp_path: Path, tls: ClusterTls) -> None:
    """Replication follows the size; security is on whatever the size."""
    node = _node(1, tmp_path)
    write_files(node, [node], tls)
    settings = _read(node.properties)
    assert settings["transaction.state.log.replication.factor"] == settings["min.insync.replicas"] == "1"
    assert settings["super.users"] == "User:svc-admin;User:svc-broker"
    assert settings["allow.everyone.if.no.acl.found"] == settings["auto.create.topics.enable"] == "false"
    assert "PLAINTEXT" not in node.properties.read_text()
    assert int(settings["broker.session.timeout.ms"]) >= 20_000, "nobody could lead instead"


def test_three_nodes_keep_three_copies_and_need_two(tmp_path: Path, tls: ClusterTls) -> None:
    """Every node names all voters and its own listeners only."""
    nodes = [_node(number, tmp_path) for number in (1, 2, 3)]
    write_files(nodes[1], nodes, tls)
    settings = _read(nodes[1].properties)
    assert settings["default.replication.factor"] == "3"
    assert settings["min.insync.replicas"] == settings["transaction.state.log.min.isr"] == "2"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:21001,2@127.0.0.1:21002,3@127.0.0.1:21003"
    assert settings["advertised.listeners"] == "CLIENTS://127.0.0.1:20002,CONTROLLER://127.0.0.1:21002"


def test_what_stands_before_a_node_is_what_everybody_dials(tmp_path: Path, tls: ClusterTls) -> None:
    """The node listens on its own ports and names the others to clients and voters."""
    nodes = [replace(_node(number, tmp_path), fronts=(30_000 + number, 31_000 + number)) for number in (1, 2, 3)]
    write_files(nodes[0], nodes, tls)
    settings = _read(nodes[0].properties)
    assert settings["listeners"] == "CLIENTS://127.0.0.1:20001,CONTROLLER://127.0.0.1:21001"
    assert settings["advertised.listeners"] == "CLIENTS://127.0.0.1:30001,CONTROLLER://127.0.0.1:31001"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:31001,2@127.0.0.1:31002,3@127.0.0.1:31003"


@pytest.mark.parametrize(
    ("subject", "principal"),
    [
        ("CN=mfa", "mfa"),
        ("CN=mfa,O=Ministry,C=KG", "mfa"),
        ("O=Ministry,CN=mfa", "mfa"),
        ("OU=XCN=svc-admin,CN=mfa", "mfa"),
        ("O=Ministry", None),
        ("OU=XCN=svc-admin", None),
    ],
)
def test_the_principal_is_the_common_name(subject: str, principal: str | None) -> None:
    """Another attribute that contains `CN=` is no common name, and without one nobody comes in."""
    found = re.fullmatch(_PRINCIPAL_RULE.removeprefix("RULE:").removesuffix("/$1/"), subject)
    assert (found[1] if found else None) == principal
