"""What would change at the brokers, in an order that is safe wherever it stops.

1. Rights that nobody must have are taken away: a body that is suspended is cut off first.
2. Topics are made, then set: an inbox is there before anybody may read it.
3. Quotas are set: nobody may write before there is a bound to it.
4. Rights are given.
5. Partitions are added where nothing depends on how many there are (`TopicSpec.may_grow`).

No topic is ever deleted: letters are in it. Other partitions, and copies, are never changed. A denial is never lifted,
and of principals that are not ours nothing is touched: that is reported, for a person to judge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.bus.access import ROUTER_TRANSACTIONS, Grant, Operation, Resource
from exchange.bus.difference import FIXED, MISSING_TOPIC, PARTITIONS, Difference, topic_differences
from exchange.bus.quotas import Quota
from exchange.bus.topics import PREFIX, TopicSpec
from exchange.domain.directory import BodyStatus
from exchange.services.reconcile.wanted import Wanted

RIGHT, QUOTA = "right", "quota"
EVERYBODY_ELSE = "every other user"
_ANY_NAME = "*"
_OURS = (PREFIX, ROUTER_TRANSACTIONS)
_OMNIPOTENT = frozenset({Operation.ALL, Operation.ALTER, Operation.CLUSTER_ACTION})


@dataclass(frozen=True, slots=True)
class Observed:
    """What there is: the exchange's topics, everybody's rights, and quotas of principals."""

    topics: Mapping[str, TopicSpec]
    rights: frozenset[Grant]
    quotas: Mapping[str | None, Quota]


@dataclass(frozen=True, slots=True)
class Revoke:
    """Take rights away."""

    rights: tuple[Grant, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is done, for people."""
        return tuple(Difference(right.principal, RIGHT, "", str(right)) for right in self.rights)


@dataclass(frozen=True, slots=True)
class Create:
    """Make topics."""

    topics: tuple[TopicSpec, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is done, for people."""
        return tuple(Difference(topic.name, MISSING_TOPIC, "exists", "") for topic in self.topics)


@dataclass(frozen=True, slots=True)
class Configure:
    """Set what topics are set to."""

    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """Set quotas: by principal what there must be (None: none of its own) and what there is."""

    quotas: Mapping[str | None, tuple[Quota | None, Quota | None]]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is done, for people."""
        return tuple(
            Difference(principal or EVERYBODY_ELSE, QUOTA, str(must_be or ""), str(found or ""))
            for principal, (must_be, found) in self.quotas.items()
        )


@dataclass(frozen=True, slots=True)
class Give:
    """Give rights."""

    rights: tuple[Grant, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is done, for people."""
        return tuple(Difference(right.principal, RIGHT, str(right), "") for right in self.rights)


@dataclass(frozen=True, slots=True)
class Grow:
    """Add partitions."""

    differences: tuple[Difference, ...]

    @property
    def counts(self) -> dict[str, int]:
        """By topic how many there are to be."""
        return {each.subject: int(each.expected) for each in self.differences}


Step = Revoke | Create | Configure | Limit | Give | Grow


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        steps: in the order in which they are safe; none when everything is as it must be.
        reported: what is not as it must be and is for a person to change.
        resting: inboxes that keep their letters although their body is not in use, with its status.
    """

    steps: tuple[Step, ...]
    reported: tuple[Difference, ...]
    resting: Mapping[str, BodyStatus]

    @property
    def changes(self) -> tuple[Difference, ...]:
        """All that the steps would change."""
        return tuple(difference for step in self.steps for difference in step.differences)


def plan(wanted: Wanted, observed: Observed) -> Plan:
    """What would make the cluster as it must be."""
    topics = topic_differences(wanted.topics, observed.topics)
    missing = {each.subject for each in topics if each.setting == MISSING_TOPIC}
    growing = _growing(wanted, topics)
    known = {spec.name for spec in wanted.topics} | set(wanted.resting)
    stray = sorted(observed.rights - wanted.rights)
    taken = tuple(right for right in stray if right.principal in wanted.principals and not right.denied)
    steps: tuple[Step, ...] = (
        Revoke(taken),
        Create(tuple(spec for spec in wanted.topics if spec.name in missing)),
        Configure(tuple(each for each in topics if each.setting not in FIXED and each.subject not in missing)),
        Limit(_limits(wanted, observed.quotas)),
        Give(tuple(sorted(wanted.rights - observed.rights))),
        Grow(growing),
    )
    return Plan(
        steps=tuple(step for step in steps if step.differences),
        reported=(
            *(each for each in topics if each.setting in FIXED and each not in growing),
            *(Difference(name, MISSING_TOPIC, "", "exists") for name in sorted(set(observed.topics) - known)),
            *(Difference(right.principal, RIGHT, "", str(right)) for right in stray if _for_a_person(right, wanted)),
            *wanted.unserved,
        ),
        resting={name: status for name, status in wanted.resting.items() if name in observed.topics},
    )


def _growing(wanted: Wanted, found: Iterable[Difference]) -> tuple[Difference, ...]:
    """Topics that lack partitions and may be given them."""
    may_grow = {spec.name for spec in wanted.topics if spec.may_grow}
    return tuple(
        each
        for each in found
        if each.setting == PARTITIONS and each.subject in may_grow and int(each.found) < int(each.expected)
    )


def _limits(wanted: Wanted, found: Mapping[str | None, Quota]) -> dict[str | None, tuple[Quota | None, Quota | None]]:
    ours = [*wanted.quotas, *sorted(wanted.principals - wanted.quotas.keys())]
    both = {principal: (wanted.quotas.get(principal), found.get(principal)) for principal in ours}
    return {principal: pair for principal, pair in both.items() if pair[0] != pair[1]}


def _for_a_person(right: Grant, wanted: Wanted) -> bool:
    """Whether somebody has to judge a stray right: a denial of ours, or a stranger's on something of the exchange."""
    if right.principal in wanted.principals:
        return right.denied
    if right.resource is Resource.CLUSTER:
        # Whoever has these can give itself any right, or read as brokers do.
        return right.operation in _OMNIPOTENT and not right.denied
    if right.name == _ANY_NAME:
        return True
    if right.prefix:
        return any(ours.startswith(right.name) or right.name.startswith(ours) for ours in _OURS)
    return right.name.startswith(_OURS)
