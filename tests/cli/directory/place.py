"""An installation that does not run, whose directory people look at and change."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.domain.directory import Body, BodyStatus
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.keys import PrivateKey, load_private_key

NOW = datetime.now(UTC)


class Place:
    """An installation that does not run."""

    @staticmethod
    def make(folder: Path) -> None:
        """Make one now."""
        Installer(folder, demo_bodies(), NOW).write_settings("127.0.0.1:1")

    def __init__(self, folder: Path) -> None:
        """Look at the one that is there."""
        self.config = folder / "operator.toml"
        self._authority = Authority(folder / "authority", now=NOW)
        self.folder = DirectoryFolder.at(folder / "directory", self._authority.directory.root)

    def change(self, body: Body) -> Body:
        """Publish a version with this body changed; the body as it is listed then."""
        latest = self.folder.latest()
        bodies = {**latest.bodies, body.code: body}
        publisher, keys = DirectoryPublisher(self.folder), self._authority.directory.publishing()
        return publisher.publish(successor(latest, bodies, NOW), keys, NOW).bodies[body.code]

    @property
    def clock(self) -> str:
        """The clock's key."""
        return str(self._authority.directory.clock)

    @property
    def authority(self) -> str:
        """Folder of the authority that issues certificates."""
        return str(self._authority.folder)

    def issuer(self) -> Path:
        """A certificate of an authority that the directory does not name."""
        return self._authority.transport_root

    def root_keys(self) -> dict[str, PrivateKey]:
        """Of the root's holders, by name."""
        folder = self._authority.directory.root.parent
        return {f"root-{number}": load_private_key(folder / f"root-{number}.key.pem") for number in (1, 2, 3)}

    def keeper(self, number: int) -> str:
        """A keeper's key."""
        return str(self._authority.directory.keepers[number])

    def status(self, code: str) -> BodyStatus:
        """Of a body, in the version in force."""
        return self.folder.latest().bodies[code].status

    def certificate(self, code: str, folder: Path) -> Path:
        """Another statement certificate of a body, by the same issuer."""
        for root in ("key", "crt"):
            (folder / "ca").mkdir(exist_ok=True)
            name = f"statement.{root}.pem"
            shutil.copy(self._authority.folder / "ca" / name, folder / "ca" / name)
        return Authority(folder, now=NOW).body(code).statement.certificate

    def keys(self) -> list[str]:
        """Options that name all keys: changes come into force at once."""
        keys = self._authority.directory
        return [*(part for keeper in keys.keepers for part in ("--key", str(keeper))), "--clock", str(keys.clock)]

    def run(self, *arguments: str) -> Result:
        """`exchange directory …` here."""
        return CliRunner().invoke(app, ["directory", *arguments, "--config", str(self.config)])

    def found(self, *arguments: str) -> dict[str, object]:
        """What a program is told."""
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, done.stderr
        result: dict[str, object] = json.loads(done.stdout)["result"]
        return result
