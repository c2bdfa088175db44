"""Trust by directory version, as decisions name it."""

import dataclasses
from datetime import timedelta

import pytest

from exchange.agent.history import VERSIONS_KEPT, TrustHistory
from exchange.domain.policy import GROUP_VERSIONS
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.errors import DirectoryRefused
from tests.agent.place import Place, until, until_settled
from tests.world import NOW


def publish(place: Place, count: int) -> None:
    """So many versions more."""
    publisher, keys = DirectoryPublisher(place.directory), place.world.authority.directory.publishing()
    for _ in range(count):
        latest = place.directory.latest()
        bodies = {code: dataclasses.replace(body, kind=f"v{latest.version}") for code, body in latest.bodies.items()}
        issued = NOW + timedelta(seconds=latest.version)
        publisher.publish(successor(latest, bodies, issued), keys, issued)


def test_old_versions_stay_at_hand(place: Place) -> None:
    """Each version is built once while it is used, and read again when it was put away."""
    history = TrustHistory(place.directory)
    publish(place, VERSIONS_KEPT + 4)
    assert history.directory.version == 1
    assert history.refresh().version == VERSIONS_KEPT + 5
    assert history.at(3) is history.at(3)
    for version in range(1, VERSIONS_KEPT + 6):
        assert history.at(version).directory.version == version
    assert history.directory.version == VERSIONS_KEPT + 5


def test_all_versions_that_groups_name_stay_at_hand(place: Place) -> None:
    """As many as the router takes before the one in force (ADR 0013), of today and of whoever catches up."""
    history = TrustHistory(place.directory)
    for decided_by in (3 * GROUP_VERSIONS, 2 * GROUP_VERSIONS):
        used = range(decided_by, decided_by - GROUP_VERSIONS - 1, -1)
        kept = [history._keep(dataclasses.replace(history.directory, version=version)) for version in used]
        assert list(map(history.at, used)) == kept


def test_a_version_that_is_not_there(place: Place) -> None:
    """Nothing is guessed."""
    with pytest.raises(DirectoryRefused) as raised:
        TrustHistory(place.directory).at(9)
    assert raised.value.code == "directory-missing"


async def test_an_agent_follows_the_directory(place: Place) -> None:
    """A running agent uses a new version; one that must not be used changes nothing."""
    async with place.agent("alpha") as agent:
        await until_settled(agent)
        publish(place, 1)
        await until(lambda: agent._office.history.directory.version == 2)
        (place.directory.folder / "timestamp.json").unlink()
        await until_settled(agent)
        assert agent._office.history.directory.version == 2
