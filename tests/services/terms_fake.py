"""Terms that stay, or change when a test says so."""

from dataclasses import dataclass, field

from exchange.domain.deadline import Terms
from exchange.domain.policy import parse_policy
from exchange.resources import resource
from exchange.services.tracker.terms import InForce


def shipped() -> InForce:
    """The terms of the policy that ships, which names no bodies."""
    policy = parse_policy(resource("config", "policy.toml").read_bytes())
    return InForce(Terms(policy.deadlines, {}), policy.digest)


@dataclass
class FakeTerms:
    """What `TermsSource` promises."""

    in_force: InForce = field(default_factory=shipped)

    def current(self) -> InForce:
        """What the test put here."""
        return self.in_force
