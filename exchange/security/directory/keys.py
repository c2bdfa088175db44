"""The keys that sign the directory, all in one folder: for development and tests.

In production each holder makes a root key of its own and brings its public half to the ceremony; see
the guide for the directory's operators. Here all of them lie together:

    <folder>/root-{1,2,3}.key.pem   two of the three must sign a root
    <folder>/keeper-{1,2}.key.pem   both must sign entries and versions
    <folder>/clock.key.pem          signs which version is the newest
    <folder>/1.root.json            the first root: what every reader is given by hand
"""

from datetime import datetime
from pathlib import Path

from exchange.security.directory.ceremony import Holders, Quorum, make_root, sign_root
from exchange.security.directory.publisher import PublishingKeys
from exchange.security.files import write_atomically
from exchange.security.keys import PrivateKey, load_private_key, make_key

ROOT_KEYS = 3
THRESHOLD = 2
KEEPERS = 2
_KEY = ".key.pem"


class DirectoryKeys:
    """Makes what is missing in a folder, and reads what is there."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self._folder = folder

    @property
    def root(self) -> Path:
        """The first root file."""
        return self._folder / "1.root.json"

    def found(self, now: datetime) -> bytes:
        """The first root, made with keys for all roles when there is none.

        Raises:
            KeyRefused: an existing key is exposed or corrupt.
            OSError: the folder cannot be written.
        """
        if not self.root.exists():
            roots = {name: self._key(name) for name in (f"root-{number}" for number in range(1, ROOT_KEYS + 1))}
            keepers = {path.name.removesuffix(_KEY): self._key(path.name.removesuffix(_KEY)) for path in self.keepers}
            holders = Holders(
                Quorum({name: key.public_key() for name, key in roots.items()}, THRESHOLD),
                Quorum({name: key.public_key() for name, key in keepers.items()}, KEEPERS),
                self._key("clock").public_key(),
            )
            root = make_root(holders, 1, now)
            for key in list(roots.values())[:THRESHOLD]:
                root = sign_root(root, key)
            write_atomically(self.root, root)
        return self.root.read_bytes()

    def publishing(self) -> PublishingKeys:
        """The keys that publish versions.

        Raises:
            KeyRefused: an existing key is exposed or corrupt.
        """
        keepers = tuple(self._key(path.name.removesuffix(_KEY)) for path in self.keepers)
        return PublishingKeys(keepers, self._key("clock"))

    @property
    def keepers(self) -> tuple[Path, ...]:
        """Files of the keepers' private keys."""
        return tuple(self._folder / f"keeper-{number}{_KEY}" for number in range(1, KEEPERS + 1))

    @property
    def clock(self) -> Path:
        """File of the clock's private key."""
        return self._folder / f"clock{_KEY}"

    def _key(self, name: str) -> PrivateKey:
        path = self._folder / f"{name}{_KEY}"
        if not path.exists():
            make_key(path)
        return load_private_key(path)
