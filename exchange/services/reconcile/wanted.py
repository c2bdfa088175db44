"""What must be at the brokers for one version of the directory."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from exchange.bus.access import SERVICES, Grant, body_grants, service_grants
from exchange.bus.difference import Difference
from exchange.bus.quotas import EVERY_OTHER_USER, Quota
from exchange.bus.topics import ClusterShape, TopicSpec, inbox, inbox_topic, service_topics
from exchange.domain.directory import Body, BodyStatus, Directory
from exchange.domain.own_bodies import takes_letters
from exchange.services.reconcile.allowances import Allowances

GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be.

    Attributes:
        topics: that must exist, with their configuration.
        resting: inboxes of bodies that are not in use, with the body's status: what is in them stays.
        rights: of our principals, and they have no others.
        quotas: by principal; our principals have no others.
        principals: ours: every listed body, whatever its status, and the exchange's services.
        unserved: bodies in use whose gateway is not: nobody may fetch their letters.
    """

    topics: tuple[TopicSpec, ...]
    resting: Mapping[str, BodyStatus]
    rights: frozenset[Grant]
    quotas: Mapping[str | None, Quota]
    principals: frozenset[str]
    unserved: tuple[Difference, ...]


def wanted(directory: Directory, shape: ClusterShape, allowances: Allowances) -> Wanted:
    """What a version of the directory asks for.

    A body in use reads its inbox by its own principal, or its gateway does; then it has no right of its own. Whoever
    speaks for a service has none either: the service's principal does all for it.
    """
    bodies = directory.bodies.values()
    served: dict[str, list[str]] = defaultdict(list)
    unserved = []
    for body in bodies:
        if takes_letters(body):
            carrier = _carrier(body, directory.bodies)
            if isinstance(carrier, Difference):
                unserved.append(carrier)
            else:
                served[carrier.code].append(body.code)
    inboxes = (inbox_topic(body.code, shape) for body in bodies if _has_inbox(body))
    agents = (grant for principal, codes in served.items() for grant in body_grants(principal, codes))
    quotas: dict[str | None, Quota] = {EVERY_OTHER_USER: allowances.others}
    quotas.update(allowances.services)
    quotas.update((code, allowances.of(directory.bodies[code])) for code in served)
    return Wanted(
        topics=(*service_topics(shape), *inboxes),
        resting={inbox(body.code): body.status for body in bodies if not _has_inbox(body)},
        rights=frozenset((*service_grants(), *agents)),
        quotas=quotas,
        principals=frozenset((*SERVICES, *allowances.services, *directory.bodies)),
        unserved=tuple(unserved),
    )


def _has_inbox(body: Body) -> bool:
    """The router takes up a version once all its bodies' inboxes are there, so they are made a status earlier."""
    return body.reachable or body.status is BodyStatus.APPROVED


def _carrier(body: Body, bodies: Mapping[str, Body]) -> Body | Difference:
    """The body whose principal fetches a body's letters, or why nobody does."""
    if body.gateway in {"", body.code}:
        return body
    gateway = bodies.get(body.gateway)
    if gateway is None:
        found = f"{body.gateway} is not listed"
    elif not gateway.reachable:
        found = f"{gateway.code} is {gateway.status}"
    elif gateway.gateway not in {"", gateway.code}:
        found = f"{gateway.code} is carried itself, by {gateway.gateway}"
    else:
        return gateway
    return Difference(body.code, GATEWAY, "a connected body with an agent of its own", found)
