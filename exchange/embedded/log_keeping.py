"""The transparency log of a throw-away installation: its archive, and one witness.

log/log.key.pem          the log's key
log/witness.key.pem      the witness's; for trying out only: a witness is somebody else
log/log.policy           whose word counts, for everybody who checks proofs
archive/, witness/       what each of them keeps
tsa/                     the authority that stamps checkpoints: see `time_authority`
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exchange.archive.anew import read_after
from exchange.embedded.ports import HOST
from exchange.embedded.time_authority import ROOT, TimeAuthority, TimeAuthorityFailedError
from exchange.security.log_keys import load_log_key, make_log_key
from exchange.services.archive.standing import log_name
from exchange.settings.toml import table_text
from exchange.tlog.note import Kind, Verifier

WITNESS_NAME = "witness.try-out.example"
POLICY = "log/log.policy"
TSA = "tsa"
TSA_ROOT = f"{TSA}/{ROOT}"
ARCHIVE_FOLDER = "archive"
_KEYS = {"log": "log/log.key.pem", "witness": "log/witness.key.pem"}


def prepare_tsa(folder: Path, now: datetime) -> None:
    """Make an installation's time-stamping authority; without openssl there is none, and nothing is stamped."""
    with suppress(TimeAuthorityFailedError):
        TimeAuthority.prepared(folder / TSA, now)


def has_tsa(folder: Path) -> bool:
    """Whether an installation has a time-stamping authority of its own."""
    return (folder / TSA_ROOT).exists()


def reader_tables() -> tuple[str, ...]:
    """What a file says of the log whose process only reads it: an auditor's, the console's."""
    return table_text("archive", folder=ARCHIVE_FOLDER), table_text("log", policy=POLICY)


@dataclass(frozen=True, slots=True)
class LogKeeping:
    """Where they serve; ports of this machine.

    Attributes:
        folder: the installation's.
        exchange: its id.
        archive: port of the archive's logs.
        witness: port of the witness.
        tsa: port of the authority that stamps checkpoints; None where there is none.
    """

    folder: Path
    exchange: bytes
    archive: int
    witness: int
    tsa: int | None = None

    def write_policy(self) -> None:
        """Make the keys if there are none, and write down whose word counts.

        Raises:
            KeyRefused, ConfigurationError: what is there was altered; remove the folder.
            OSError: the folder cannot be written.
        """
        (self.folder / "log").mkdir(exist_ok=True)
        policy = f"log {self._log}\nwitness try-out {self._witness} http://{HOST}:{self.witness}\nquorum try-out\n"
        (self.folder / POLICY).write_text(policy, encoding="utf-8")

    def archive_tables(self) -> tuple[str, ...]:
        """What the archive's file says of the log, and of who stamps its checkpoints."""
        return (
            *self.stamping_tables(),
            table_text("archive", folder=ARCHIVE_FOLDER),
            table_text("log", key=_KEYS["log"], policy=POLICY),
            table_text("serve", host=HOST, port=self.archive, entries=True),
        )

    def stamping_tables(self) -> tuple[str, ...]:
        """Who stamps, for the archive and for who checks it; nothing where there is no authority."""
        url = f"http://{HOST}:{self.tsa}/"
        return () if self.tsa is None else (table_text("timestamps", url=url, roots=TSA_ROOT, interval_minutes=1),)

    def tsa_table(self) -> str:
        """What the time-stamping authority's file says."""
        return table_text("authority", folder=TSA, port=self.tsa or 0)

    def witness_tables(self) -> tuple[str, ...]:
        """What the witness's file says."""
        return (
            table_text("witness", name=WITNESS_NAME, key=_KEYS["witness"], state="witness"),
            table_text("listen", host=HOST, port=self.witness),
            table_text("[log]", key=str(self._log), tiles=f"http://{HOST}:{self.archive}"),
        )

    @property
    def _log(self) -> Verifier:
        return self._key("log", log_name(self.exchange, read_after(self.folder / ARCHIVE_FOLDER)), Kind.NOTE)

    @property
    def _witness(self) -> Verifier:
        return self._key("witness", WITNESS_NAME, Kind.COSIGNATURE)

    def _key(self, holder: str, name: str, kind: Kind) -> Verifier:
        path = self.folder / _KEYS[holder]
        return load_log_key(path, name, kind).verifier if path.exists() else make_log_key(path, name, kind)
