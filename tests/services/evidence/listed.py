"""A journal whose decisions rely on a revocation list, as an exchange with an outside issuer has one."""

from dataclasses import dataclass, field
from datetime import timedelta

from exchange.domain.policy import WhenStale, in_force, parse_policy
from exchange.domain.statement import Content
from exchange.journal.examine import Ground
from exchange.resources import resource
from exchange.security.crl import Crl, Revocations, read_crl
from exchange.security.keys import load_certificate
from exchange.security.trust import Trust
from tests.journal.synthetic import SyntheticJournal


@dataclass
class ListedJournal(SyntheticJournal):
    """Its lanes stand on a policy that names the list, from their first entry on."""

    crl: Crl = field(init=False)

    def __post_init__(self) -> None:
        """The list of the world's own authority: nobody on it, the next in a month."""
        world = self.world
        root, due = load_certificate(world.authority.statement_root), world.now + timedelta(days=30)
        self.crl = read_crl(world.authority.revocation_list((), due), [root])
        world.policy = parse_policy(self._policy())
        super().__post_init__()
        trust = Trust(world.directory, Revocations((self.crl,), WhenStale.ACCEPT))
        self.stand_on(Ground(world.directory, world.policy, trust, world.version))

    def proof(self, ground: Ground) -> tuple[Content, ...]:
        files = self.files(ground.directory.version)
        return (*files, Content(b"", self._policy()), *(Content(b"", part) for _, part in self.crl.parts))

    def _policy(self) -> bytes:
        return in_force(resource("config", "policy.toml").read_bytes(), [[part for part, _ in self.crl.parts]])
