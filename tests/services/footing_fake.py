"""A directory that never changes, for routers under test."""

from exchange.journal.examine import Ground
from exchange.services.router.ground import Footing


class OneFooting:
    """Always the same ground; nothing travels beside it (see `FootingSource`)."""

    def __init__(self, ground: Ground) -> None:
        """Stand on `ground`."""
        self._footing = Footing(ground, lambda _directory, _policy: iter([()]))

    def current(self) -> Footing:
        """The only one."""
        return self._footing

    def of(self, directory_digest: bytes) -> Footing:
        """The only one, asked for by its own digest."""
        assert directory_digest == self._footing.ground.directory.digest
        return self._footing
