"""What a version of the directory asks of the brokers."""

from dataclasses import replace
from datetime import date

import pytest

from exchange.bus.access import body_grants, service_grants
from exchange.bus.quotas import EVERY_OTHER_USER
from exchange.bus.topics import inbox, service_topics
from exchange.domain.directory import Body, BodyStatus, Paper
from exchange.services.reconcile.wanted import Wanted, wanted
from tests.services.reconcile.bodies import ALLOWANCES, SHAPE, body, directory


def asked(*bodies: Body) -> Wanted:
    """What a directory of these bodies asks for."""
    return wanted(directory(*bodies), SHAPE, ALLOWANCES)


def inboxes(found: Wanted) -> set[str]:
    """Inboxes that must exist."""
    return {topic.name for topic in found.topics} - {topic.name for topic in service_topics(SHAPE)}


def rights(found: Wanted) -> set[str]:
    """Rights of all but the services."""
    return {str(right) for right in found.rights - set(service_grants())}


@pytest.mark.parametrize("status", BodyStatus)
def test_what_each_status_has(status: BodyStatus) -> None:
    """An inbox from its approval on, rights and a quota while it is in use, and nothing but its letters afterwards."""
    found = asked(body("mfa", status))
    in_use = status in {BodyStatus.TESTING, BodyStatus.CONNECTED}
    has_inbox = in_use or status is BodyStatus.APPROVED
    assert rights(found) == (set(map(str, body_grants("mfa"))) if in_use else set())
    assert ("mfa" in found.quotas) is in_use
    assert inboxes(found) == ({inbox("mfa")} if has_inbox else set())
    assert dict(found.resting) == ({} if has_inbox else {inbox("mfa"): status})
    assert "mfa" in found.principals


def test_nobody_listed_leaves_the_services() -> None:
    """Their topics and rights, and quotas for them and for everybody else."""
    found = asked()
    assert found.topics == service_topics(SHAPE)
    assert found.rights == set(service_grants())
    assert set(found.quotas) == {EVERY_OTHER_USER, "svc-router"}


def test_a_gateway_reads_for_those_it_carries() -> None:
    """They have inboxes, and no rights of their own; one that is suspended is not read any more."""
    gateway, first = body("gateway"), body("village-1", gateway="gateway")
    found = asked(gateway, first, body("village-2", BodyStatus.SUSPENDED, gateway="gateway"))
    assert inboxes(found) == {inbox("gateway"), inbox("village-1")}
    assert rights(found) == set(map(str, body_grants("gateway", ["gateway", "village-1"])))
    assert set(found.quotas) == {EVERY_OTHER_USER, "svc-router", "gateway"}


@pytest.mark.parametrize("status", [BodyStatus.PLANNED, BodyStatus.REQUESTED, BodyStatus.APPROVED])
def test_the_paper_bridge_reads_for_who_is_not_connected(status: BodyStatus) -> None:
    """It has an inbox from then on; the body itself has no right before it is connected."""
    on_paper = body("village", status, gateway="bridge", paper=Paper(inbound=date(2022, 4, 1), outbound=None))
    found = asked(body("bridge"), on_paper)
    assert inbox("village") in inboxes(found)
    assert rights(found) == set(map(str, body_grants("bridge", ["bridge", "village"])))
    connected = asked(body("bridge"), replace(on_paper, status=BodyStatus.TESTING, gateway=""))
    assert rights(connected) == set(map(str, (*body_grants("bridge"), *body_grants("village"))))


@pytest.mark.parametrize(
    ("gateway", "why"),
    [
        ([], "gateway is not listed"),
        ([body("gateway", BodyStatus.SUSPENDED)], "gateway is suspended"),
        ([body("gateway", gateway="other"), body("other")], "gateway is carried itself, by other"),
    ],
)
def test_a_gateway_that_cannot_carry_is_told(gateway: list[Body], why: str) -> None:
    """Nobody reads instead: the body's inbox is there and its letters wait."""
    found = asked(*gateway, body("village", gateway="gateway"))
    assert [(each.subject, each.found) for each in found.unserved] == [("village", why)]
    assert inbox("village") in inboxes(found)
    assert not [right for right in rights(found) if inbox("village") in right]
    assert "village" not in found.quotas


def test_a_body_may_name_itself_as_its_gateway() -> None:
    """That is to have an agent of its own."""
    assert rights(asked(body("mfa", gateway="mfa"))) == set(map(str, body_grants("mfa")))
