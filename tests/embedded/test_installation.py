"""A throw-away installation's files: made once, kept on a second start, readable by every process."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.bus.access import AUDITOR, Operation
from exchange.domain.directory import BodyStatus
from exchange.embedded.demo_bodies import ECHO, demo_bodies
from exchange.embedded.installation import Installation, Installer, grants, topics
from exchange.security.directory.folder import DirectoryFolder
from exchange.settings import (
    agent_settings,
    auditor_settings,
    directory_settings,
    operator_settings,
    router_settings,
    tracker_settings,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the installation is made."""
    return tmp_path / "installation"


def install(folder: Path) -> Installation:
    """Make it, or complete it."""
    installer = Installer(folder, demo_bodies(), NOW)
    installer.write_settings("127.0.0.1:9092")
    return installer.installation


def test_every_process_can_read_its_configuration(folder: Path) -> None:
    """What is written here is what the strict settings take."""
    installation = install(folder)
    ports = {
        directory_settings(installation.config("directory"), {}).observe.port,
        router_settings(installation.config("router"), {}).observe.port,
        tracker_settings(installation.config("tracker"), {}).observe.port,
        *(agent_settings(installation.config(f"agent-{code}"), {}).observe.port for code in installation.bodies),
    }
    assert len(ports) == len(installation.roles)
    assert operator_settings(installation.config("operator"), {}).replication == 1
    auditor_settings(installation.config("auditor"), {}).kafka.ssl_context()
    assert Installation.at(folder).bodies == tuple(sorted(installation.bodies))


def test_the_directory_lists_every_body(folder: Path) -> None:
    """Version 1 is signed, and all six are connected; the ayil okmotu has its SOATE code."""
    settings = operator_settings(install(folder).config("operator"), {}).directory
    directory = DirectoryFolder.at(settings.folder, settings.root).latest()
    assert {body.status for body in directory.bodies.values()} == {BodyStatus.CONNECTED}
    assert directory.bodies["ak-bulun"].soate == "41702205805000"
    assert len(directory.by_uid()) == sum(len(body.uids) for body in demo_bodies())


def test_a_second_start_changes_nothing(folder: Path) -> None:
    """Keys, directory and ports are those of the first."""
    first = Installer(folder, demo_bodies(), NOW)
    first.write_settings("127.0.0.1:9092")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    second = Installer(folder, demo_bodies(), NOW)
    second.write_settings("127.0.0.1:9092")
    assert (first.fresh, second.fresh) == (True, False)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_echo_joins_later(folder: Path) -> None:
    """An installation of before gets it: listed, with a process of its own and no document system."""
    assert "echo" not in install(folder).roles
    installer = Installer(folder, (*demo_bodies(), ECHO), NOW)
    installer.write_settings("127.0.0.1:9092")
    installation = Installation.at(folder)
    assert installation.roles[-1] == "echo"
    assert agent_settings(installation.config("echo"), {}).bodies[0].folder is None
    settings = operator_settings(installation.config("operator"), {}).directory
    directory = DirectoryFolder.at(settings.folder, settings.root).latest()
    assert (directory.version, directory.bodies["echo"].status) == (2, BodyStatus.CONNECTED)


def test_a_port_that_somebody_took_is_given_up(folder: Path) -> None:
    """Unless it is our own process that listens there."""
    router = install(folder).config("router")
    port = router_settings(router, {}).observe.port
    with socket.create_server(("127.0.0.1", port)):
        Installer(folder, demo_bodies(), NOW).write_settings("127.0.0.1:9092", running=["router"])
        assert router_settings(router, {}).observe.port == port
        install(folder)
    assert router_settings(router, {}).observe.port != port


def test_topics_and_rights_of_an_exchange() -> None:
    """Each body has an inbox that only it and the router touch; the auditor writes nowhere."""
    names = [spec.name for spec in topics(["mfa", "minjust"])]
    assert len(names) == len(set(names)) == 9
    given = grants(["mfa", "minjust"])
    readers = {grant.principal for grant in given if grant.name == "exchange.inbox.mfa"}
    assert readers == {"mfa"}
    assert {grant.operation for grant in given if grant.principal == AUDITOR} == {Operation.READ}
