"""`exchange body selftest` without a broker: what can be seen from files, and a letter to an echo in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.bus.access import Operation
from exchange.cli import echoed, kafka_checks
from exchange.cli.echoed import echoed_letter
from exchange.cli.findings import Check
from exchange.cli.selftest import LETTER_LOOKS, Selftest, _right_findings
from exchange.client import Client
from exchange.domain.directory import Body, BodyStatus
from exchange.domain.errors import ExchangeError
from exchange.embedded.demo_bodies import ECHO, demo_bodies
from exchange.embedded.installation import Installer
from exchange.embedded.installed import Installation
from exchange.security.authority import Authority
from exchange.security.documents import Anchors
from exchange.security.keys import KeyFiles
from exchange.services.echo import Echo
from exchange.settings.agent import AgentSettings, agent_settings
from exchange.settings.bodies import BodySettings
from exchange.wiring.agent import Desk
from tests.agent.conftest import authority_folder, place
from tests.agent.edms import MemoryEdms
from tests.agent.place import Place
from tests.patience import PATIENCE
from tests.published import directory_folder, publish

__all__ = ["authority_folder", "place"]
"""Fixtures of agents."""

NOW = datetime.now(UTC)
NOBODY_LISTENS = "127.0.0.1:1"


@dataclass(frozen=True)
class Here:
    """An installation that does not run, seen by the agent of mfa."""

    installation: Installation
    authority: Authority
    settings: AgentSettings

    def look(self, now: datetime = NOW) -> dict[str, Check]:
        """All looks by name."""
        config = self.installation.config("agent-mfa")
        test = Selftest(
            config, self.settings, self.settings.bodies[0], ECHO.code, lambda: now, 1.0, lambda _words: None
        )
        return {check.name: check for check in asyncio.run(test.run())}

    def listed(self, code: str) -> Body:
        """A body as the directory has it."""
        return directory_folder(self.installation.folder, self.authority).latest().bodies[code]

    def publish(self, body: Body) -> None:
        """Publish another entry."""
        publish(self.installation.folder, self.authority, body)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """Made now."""
    installer = Installer(tmp_path, (*demo_bodies(), ECHO), NOW)
    installer.write_settings(NOBODY_LISTENS)
    settings = agent_settings(installer.installation.config("agent-mfa"), {})
    return Here(installer.installation, Authority(tmp_path / "authority", now=NOW), settings)


def codes(check: Check) -> list[tuple[str, str]]:
    """Code and subject of a look's findings."""
    return [(finding.code, finding.subject) for finding in check.findings]


def test_without_a_broker_the_rest_is_looked_at(here: Here) -> None:
    """One finding, and what depends on it is left out with its reason."""
    found = here.look()
    assert codes(found["Kafka over TLS"]) == [("kafka-unreachable", NOBODY_LISTENS)]
    assert {name for name, check in found.items() if check.skipped} == set(LETTER_LOOKS)
    assert {check.skipped for check in found.values()} == {"", "first mend: Kafka over TLS"}
    for name in ("keys and certificates", "directory", "document system's folder"):
        assert found[name] == Check(name)


def test_before_the_answer_is_installed(here: Here) -> None:
    """What waits for the certificates says so, and is not told as wrong itself."""
    certificate = here.settings.bodies[0].statement.certificate
    certificate.unlink()
    found = here.look()
    assert codes(found["keys and certificates"]) == [("certificate-file-missing", str(certificate))]
    assert "exchange body install" in found["keys and certificates"].findings[0].next_step
    assert "waits for the certificates" in found["directory"].skipped
    assert found["Kafka over TLS"].skipped
    assert found["letter"].skipped == "first mend: keys and certificates"


@pytest.mark.parametrize(("follow", "words"), [(True, "the agent fetches it"), (False, "the agent fetches none")])
def test_before_the_directory_has_come(here: Here, words: str, *, follow: bool) -> None:
    """Who brings it, and what to do meanwhile; nobody is sent to another reader's copy."""
    place = replace(here.settings.directory, follow=follow)
    (place.folder / "timestamp.json").unlink()
    (finding,) = replace(here, settings=replace(here.settings, directory=place)).look()["directory"].findings
    assert (finding.code, finding.subject) == ("directory-missing", str(place.folder))
    assert words in finding.problem
    assert "start the agent" in finding.next_step


def test_what_the_directory_says_of_both(here: Here) -> None:
    """Of the body, of its certificate, and of the echo."""
    mfa, echo = here.listed("mfa"), here.listed(ECHO.code)
    here.publish(replace(mfa, status=BodyStatus.SUSPENDED))
    here.publish(replace(echo, status=BodyStatus.LEFT))
    assert codes(here.look()["directory"]) == [("body-not-connected", "mfa"), ("body-not-connected", ECHO.code)]
    here.publish(echo)
    statement, transport = mfa.certificates
    here.publish(replace(mfa, certificates=(replace(statement, revoked=NOW), transport)))
    assert [code for code, _ in codes(here.look()["directory"])] == ["signer-unknown"]


def test_time_goes_by(here: Here) -> None:
    """A stale directory, and certificates that end."""
    found = here.look(NOW + timedelta(days=2))
    assert codes(found["directory"])[0][0] == "directory-stale"
    found = here.look(NOW + timedelta(days=400))
    assert [code for code, _ in codes(found["keys and certificates"])] == ["certificate-expired"] * 2


def test_a_folder_that_cannot_be_written(here: Here) -> None:
    """The document system has a file where a folder belongs."""
    (here.settings.bodies[0].folder or Path()).rmdir()
    (here.settings.bodies[0].folder or Path()).write_text("")
    assert codes(here.look()["document system's folder"])[0][0] == "connector-failed"


def test_a_body_without_a_document_system(here: Here) -> None:
    """Has no folder to be looked at."""
    bodies = (replace(here.settings.bodies[0], edms=None),)
    found = replace(here, settings=replace(here.settings, bodies=bodies)).look()
    assert found["document system's folder"].skipped


def test_rights_are_exactly_its_own() -> None:
    """One that lacks is an error, one too many a warning."""
    wanted = {"own": {Operation.READ}, "submissions": {Operation.WRITE}, "others": set[Operation]()}
    assert list(_right_findings(wanted, wanted)) == []
    found = {"own": set[Operation](), "submissions": {Operation.READ, Operation.WRITE}, "others": {Operation.READ}}
    told = [(each.severity, each.code, each.subject) for each in _right_findings(wanted, found)]
    assert told == [
        ("error", "right-missing", "own"),
        ("warning", "right-stray", "submissions"),
        ("warning", "right-stray", "others"),
    ]


@pytest.mark.parametrize(("seconds", "apart"), [(-3, 3), (0, 0), (5, 0), (10, 0), (12, 2)])
def test_clocks_differ_at_least_so_much(seconds: int, apart: int) -> None:
    """What was written between two of our times and bears one between them says nothing against our clock."""
    moment = NOW + timedelta(seconds=seconds)
    assert kafka_checks.apart(moment, NOW, NOW + timedelta(seconds=10)) == timedelta(seconds=apart)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long."""
    monkeypatch.setattr(echoed, "LOOK_SECONDS", 0.02)


@asynccontextmanager
async def client_at(place: Place, edms: MemoryEdms | None = None, *, echo: bool = True) -> AsyncIterator[Client]:
    """Alpha's client beside its agent; beta is the echo, when there is one."""
    systems = {} if edms is None else {"alpha": edms}
    async with place.agent("alpha", edms=systems) as alpha, place.agent("beta") as beta:
        settings = BodySettings("alpha", KeyFiles(Path(), Path()), None)
        desk = Desk(alpha._office, place.simulator.transport)
        answers = Echo(beta.mailbox("beta"), "beta", place.agents_clock).run if echo else asyncio.Event().wait
        async with asyncio.TaskGroup() as group:
            task = group.create_task(answers())
            yield Client(settings, desk, alpha.mailbox("alpha"), Anchors())
            task.cancel()


async def test_a_letter_comes_back(place: Place) -> None:
    """Taken, registered, answered."""
    async with client_at(place) as client:
        assert await echoed_letter(client, "beta", 20.0, edms=False) == [
            Check("letter"),
            Check("receipts"),
            Check("reply"),
        ]


async def test_a_document_system_gets_the_reply(place: Place) -> None:
    """When its agent runs; beside a client alone the reply waits."""
    async with client_at(place, MemoryEdms()) as client:
        checks = await echoed_letter(client, "beta", 20.0, edms=True)
        assert [codes(check) for check in checks] == [[], [], []]
    async with client_at(place) as client:
        checks = await echoed_letter(client, "beta", 1.5, edms=True)
        assert [codes(check) for check in checks] == [[], [], [("not-handed-over", "document system")]]


async def test_an_echo_that_is_away(place: Place) -> None:
    """Its agent says delivered; the rest is named."""
    async with client_at(place, echo=False) as client:
        checks = await echoed_letter(client, "beta", 0.5, edms=False)
    assert [codes(check) for check in checks] == [
        [],
        [("receipt-missing", "handed-over"), ("receipt-missing", "registered")],
        [("reply-missing", "beta")],
    ]


async def test_a_letter_that_nobody_would_take(place: Place) -> None:
    """A key revoked in the directory is told at once, by its code: nobody waits for a word that cannot come."""
    alpha = place.world.directory.bodies["alpha"]
    revoked = tuple(replace(each, revoked=place.clock()) for each in alpha.certificates)
    place.simulator.stand_on(place.world.change(replace(alpha, certificates=revoked)))
    async with asyncio.timeout(PATIENCE), client_at(place, echo=False) as client:
        with pytest.raises(ExchangeError, match="the letter is kept") as caught:
            await client.decided(await client.send(["beta"], "title"), 30.0)
    assert caught.value.code == "certificate-revoked"


async def test_a_letter_that_is_refused(place: Place) -> None:
    """By its reason; nothing more is waited for."""
    async with client_at(place, echo=False) as client:
        letter, *others = await echoed_letter(client, "nobody", 20.0, edms=False)
    assert codes(letter) == [("recipient-unknown", "nobody")]
    assert [check.skipped for check in others] == ["the letter was refused"] * 2
