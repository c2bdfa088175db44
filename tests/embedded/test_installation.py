"""A throw-away installation's files: made once, kept on a second start, readable by every process."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.bus.access import AUDITOR, Operation
from exchange.domain.directory import BodyStatus, CertificateUse
from exchange.domain.errors import ConfigurationError
from exchange.embedded.demo_bodies import ECHO, demo_bodies
from exchange.embedded.installation import Installer, grants, topics
from exchange.embedded.installed import Installation
from exchange.embedded.log_keeping import has_tsa
from exchange.embedded.speakers import SERVICES
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.keys import load_key_pair
from exchange.security.timestamps import Authorities
from exchange.settings import auditor_settings, directory_settings, operator_settings, router_settings, tracker_settings
from exchange.settings.agent import agent_settings
from exchange.settings.archive import archive_settings
from exchange.settings.time_authority import time_authority_settings
from exchange.settings.witness import witness_settings

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
        witness_settings(installation.config("witness"), {}).observe.port,
        archive_settings(installation.config("archive"), {}).observe.port,
        time_authority_settings(installation.config("tsa")).observe.port,
        *(agent_settings(installation.config(f"agent-{code}"), {}).observe.port for code in installation.agents),
    }
    assert len(ports) == len(installation.roles)
    assert operator_settings(installation.config("operator"), {}).replication == 1
    auditor = auditor_settings(installation.config("auditor"), {})
    assert auditor.kafka is not None
    auditor.kafka.ssl_context()
    assert auditor.timestamps is not None
    assert auditor.timestamps.roots.exists()
    assert Installation.at(folder).agents == tuple(sorted(installation.agents))


def test_without_openssl_nothing_is_stamped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No authority runs, and the archive asks none."""
    monkeypatch.setenv("PATH", str(folder))
    installation = install(folder)
    assert not has_tsa(installation.folder)
    assert "tsa" not in installation.roles
    assert archive_settings(installation.config("archive"), {}).timestamps is None


def test_checkpoints_are_stamped_by_the_authority_of_this_folder(folder: Path) -> None:
    """Its address stays when it is completed."""
    stamps = archive_settings(install(folder).config("archive"), {}).timestamps
    again = archive_settings(install(folder).config("archive"), {}).timestamps
    assert stamps is not None
    assert stamps == again
    assert stamps.url.endswith(f":{time_authority_settings(folder / 'tsa.toml').port}/")
    assert Authorities.load(stamps.roots).roots


def test_the_directory_lists_every_body(folder: Path) -> None:
    """Version 1 is signed, and all are connected; an ayil okmotu has its SOATE code."""
    settings = operator_settings(install(folder).config("operator"), {}).directory
    directory = DirectoryFolder.at(settings.folder, settings.root).latest()
    assert {body.status for body in directory.bodies.values()} == {BodyStatus.CONNECTED}
    assert directory.bodies["ak-bulun"].soate == "41702205805000"
    assert len(directory.by_uid()) == sum(len(body.uids) for body in demo_bodies())


def test_a_gateway_carries_the_ayil_okmotu(folder: Path) -> None:
    """One agent speaks for both, each with its own key and folder, and neither can connect by itself."""
    installation = install(folder)
    assert installation.served().items() >= {
        ("mfa", "agent-mfa"),
        ("sanarip-aimak", "agent-sanarip-aimak"),
        ("ak-bulun", "agent-sanarip-aimak"),
        ("chon-oruktu", "agent-sanarip-aimak"),
    }
    place = operator_settings(installation.config("operator"), {}).directory
    directory = DirectoryFolder.at(place.folder, place.root).latest()
    assert [listed.use for listed in directory.bodies["ak-bulun"].certificates] == [CertificateUse.STATEMENT]
    carried = agent_settings(installation.config("agent-sanarip-aimak"), {}).carried(directory)
    assert [(body.code, body.folder) for body in carried] == [
        (code, installation.edms(code)) for code in ("sanarip-aimak", "ak-bulun", "chon-oruktu")
    ]
    for body in carried:
        signs = load_key_pair(body.statement).certificate.public_bytes(Encoding.DER)
        assert signs == directory.bodies[body.code].certificates[0].der


def test_an_installation_from_before_the_gateway_is_refused(folder: Path) -> None:
    """What an ayil okmotu's own agent has in its spool would be lost without a word."""
    install(folder).config("agent-ak-bulun").touch()
    with pytest.raises(ConfigurationError, match="ak-bulun had an agent of its own") as refused:
        install(folder)
    assert refused.value.code == "installation-outdated"


def test_a_second_start_changes_nothing(folder: Path) -> None:
    """Keys, directory and ports are those of the first."""
    first = Installer(folder, demo_bodies(), NOW)
    first.write_settings("127.0.0.1:9092")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    second = Installer(folder, demo_bodies(), NOW)
    second.write_settings("127.0.0.1:9092")
    assert (first.fresh, second.fresh) == (True, False)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_file_that_somebody_keeps_stays(folder: Path) -> None:
    """Without its first line it is no longer ours to write; with it, it is written anew."""
    installation = install(folder)
    kept, ours = installation.config("agent-mfa"), installation.config("router")
    text = kept.read_text(encoding="utf-8").partition("\n")[2] + '[documents]\ntrust = "mine.pem"\n'
    kept.write_text(text, encoding="utf-8")
    ours.write_text(ours.read_text(encoding="utf-8") + "# gone at the next start\n", encoding="utf-8")
    installer = Installer(folder, demo_bodies(), NOW)
    installer.write_settings("127.0.0.1:9099")
    assert kept.read_text(encoding="utf-8") == text
    assert agent_settings(kept, {}).documents == folder / "mine.pem"
    assert router_settings(ours, {}).kafka.bootstrap == "127.0.0.1:9099"
    assert "gone" not in ours.read_text(encoding="utf-8")


def test_the_echo_joins_later(folder: Path) -> None:
    """An installation of before gets it: listed, with a process of its own and no document system."""
    assert "echo" not in install(folder).roles
    installer = Installer(folder, (*demo_bodies(), ECHO), NOW)
    installer.write_settings("127.0.0.1:9092")
    installation = Installation.at(folder)
    assert installation.roles[-1] == "echo"
    assert agent_settings(installation.config("echo"), {}).bodies[0].edms is None
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
    assert len(names) == len(set(names)) == 7 + 2 + len(SERVICES)
    given = grants(["mfa", "minjust"])
    readers = {grant.principal for grant in given if grant.name == "exchange.inbox.mfa"}
    assert readers == {"mfa"}
    assert {grant.operation for grant in given if grant.principal == AUDITOR} == {Operation.READ}
