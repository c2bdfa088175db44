"""Whether an installation runs, and its end, whoever started it."""

from exchange.embedded.installed import Installation
from exchange.embedded.kafka import running_brokers, stop_brokers
from exchange.embedded.roles import running, stop_roles


def is_up(installation: Installation) -> bool:
    """Whether anything of an installation runs."""
    return bool(running_brokers(installation.kafka)) or any(running(installation, role) for role in installation.roles)


def take_down(installation: Installation) -> int:
    """End everything of an installation, whoever started it; return how many processes there were."""
    return stop_roles(installation, reversed(installation.roles)) + stop_brokers(installation.kafka)
