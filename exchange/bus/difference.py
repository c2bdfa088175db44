"""What of a cluster is not as it must be, as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.bus.topics import TopicSpec

MISSING_TOPIC = "topic"
PARTITIONS, REPLICATION = "partitions", "replication"
FIXED = frozenset({PARTITIONS, REPLICATION})
"""Never changed by a program: order and chains depend on the first, and the second moves all data."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing of the cluster that is not as it must be.

    Attributes:
        subject: topic, principal or broker.
        setting: what about it.
        expected: what must be; empty for something that must not be there.
        found: what is; empty for something missing.
    """

    subject: str
    setting: str
    expected: str
    found: str


def topic_differences(specs: Iterable[TopicSpec], found: Mapping[str, TopicSpec]) -> list[Difference]:
    """Compare topics as they must be with those that are `found`, by name; a missing one is one difference."""
    return [difference for spec in specs for difference in _differences(spec, found.get(spec.name))]


def _differences(spec: TopicSpec, found: TopicSpec | None) -> list[Difference]:
    if found is None:
        return [Difference(spec.name, MISSING_TOPIC, "exists", "")]
    must_be, is_now = _settings(spec), _settings(found)
    return [
        Difference(spec.name, name, value, is_now.get(name, ""))
        for name, value in must_be.items()
        if is_now.get(name, "") != value
    ]


def _settings(spec: TopicSpec) -> dict[str, str]:
    return {PARTITIONS: str(spec.partitions), REPLICATION: str(spec.replication), **spec.configuration}
