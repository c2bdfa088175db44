"""An auditor's desk: an archive in a folder, a directory, an authority that stamps, a configuration that names them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.domain.event import Event
from exchange.domain.statement import Signed
from exchange.embedded.time_authority import TimeAuthority, serving
from exchange.services.evidence.commands import AUTHORITY_ROOT, FIRST_ROOT
from exchange.services.evidence.package import LOG_POLICY
from tests.journal.synthetic import SyntheticJournal
from tests.services.evidence.filed import Filed
from tests.services.evidence.listed import ListedJournal
from tests.world import BODIES, NOW, World

FILES = (b"%PDF-1.4 the letter", b"an annex")


@dataclass(frozen=True)
class Desk:
    """Where `exchange evidence` is run.

    Attributes:
        folder: with what whoever checks has from elsewhere, under the names that the commands use.
        letter: registered by its recipient.
        refused: another one, which the exchange refused.
    """

    folder: Path
    letter: Signed
    refused: Signed
    authority: TimeAuthority

    def run(self, *arguments: str | Path, letter: Signed | None = None, config: str = "auditor.toml") -> Result:
        """`exchange evidence LETTER …`."""
        words = ["evidence", (letter or self.letter).digest.hex(), "--config", self.folder / config, *arguments]
        return CliRunner().invoke(app, [*map(str, words)])

    def packed(self, name: str, *arguments: str, letter: Signed | None = None) -> dict[str, Any]:
        """What the command says, the package made under a name in the folder."""
        done = self.run("-o", self.folder / name, "--json", *arguments, letter=letter)
        assert done.exit_code == 0, done.output
        found: dict[str, Any] = json.loads(done.stdout)["result"]
        return found


@contextmanager
def opened(folder: Path, *, listed: bool, renewed: bool = False, now: datetime = NOW) -> Iterator[Desk]:
    """A desk while its authority answers.

    Args:
        folder: its own.
        listed: whether decisions rely on a revocation list, and the log's checkpoint is time-stamped.
        renewed: whether that time-stamp has an evidence record.
        now: when the letter is sent; the authority stamps by this machine's clock.
    """
    world = World(folder / "world", now=now, bodies=(*BODIES, "exchange-tracker", "exchange-console"))
    journal = ListedJournal(world) if listed else SyntheticJournal(world)
    letter = journal.letter("alpha", "beta", "gamma", files=FILES)
    journal.registered("beta", letter, "alpha", "77-1")
    journal.say("exchange-tracker", journal.speaker("exchange-tracker").deadline(letter, "alpha", "gamma"))
    journal.receipt("gamma", letter, "alpha", Event.REFUSED, reason_text="не по адресу")
    act = journal.speaker("exchange-console").act("view-content", person="a.asanova", letter=letter.digest)
    journal.say("exchange-console", act)
    refused = journal.letter("alpha", "nobody", message_id="lost")
    filed = Filed(journal, folder / "archive", int(now.timestamp()) + 100)
    authority = TimeAuthority.prepared(folder / "authority", datetime.now(UTC))
    filed.take(authority if listed else None)
    if renewed:
        filed.renew(authority)
    (folder / FIRST_ROOT).write_bytes(world.root)
    (folder / LOG_POLICY).write_text(filed.policy)
    (folder / AUTHORITY_ROOT).write_bytes(authority.root.read_bytes())
    with serving(authority) as url:
        (folder / "auditor.toml").write_text(
            '[kafka]\nbootstrap = "localhost:9093"\nca = "ca.pem"\ncertificate = "auditor.pem"\nkey = "auditor.key"\n'
            f'[directory]\nfolder = "world/directory"\nroot = "{FIRST_ROOT}"\n[store]\nurl = "sqlite:///tracker.sqlite"\n'
            f'[archive]\nfolder = "archive"\n[log]\npolicy = "{LOG_POLICY}"\n'
            f'[timestamps]\nurl = "{url}"\nroots = "{AUTHORITY_ROOT}"\n'
        )
        yield Desk(folder, letter, refused, authority)
