"""A journal whose decisions rely on a revocation list, as an exchange with an outside issuer has one."""

from dataclasses import dataclass, field
from datetime import timedelta

from exchange.domain.policy import WhenStale, in_force, parse_policy
from exchange.domain.statement import Content
from exchange.journal.examine import Ground
from exchange.resources import resource
from exchange.security.crl import Crl, Revocations, read_crl
from exchange.security.keys import KeyFiles, load_key_pair
from exchange.security.trust import Trust
from tests.journal.synthetic import SyntheticJournal
from tests.security.lists import revocation_list


@dataclass
class ListedJournal(SyntheticJournal):
    """Its lanes stand on a policy that names the list, from their first entry on."""

    crl: Crl = field(init=False)

    def __post_init__(self) -> None:
        """The list of the world's statement root: number 1, nobody on it, the next in a month."""
        world = self.world
        root = load_key_pair(KeyFiles(world.authority.folder / "ca/statement.key.pem", world.authority.statement_root))
        hour = timedelta(hours=1)
        der = revocation_list(root, this_update=world.now - hour, next_update=world.now + 720 * hour)
        self.crl = read_crl(der, [root.certificate])
        world.policy = parse_policy(self._policy())
        super().__post_init__()
        trust = Trust(world.directory, Revocations((self.crl,), WhenStale.ACCEPT))
        self.stand_on(Ground(world.directory, world.policy, trust, world.version))

    def proof(self, ground: Ground) -> tuple[Content, ...]:
        files = self.files(ground.directory.version)
        return (*files, Content(b"", self._policy()), *(Content(b"", part) for _, part in self.crl.parts))

    def _policy(self) -> bytes:
        return in_force(resource("config", "policy.toml").read_bytes(), [[part for part, _ in self.crl.parts]])
