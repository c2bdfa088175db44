"""New versions of a test's signed directory, as an operator publishes them."""

from datetime import UTC, datetime
from pathlib import Path

from exchange.domain.directory import Body
from exchange.security.authority import Authority
from exchange.security.cades import Signer
from exchange.security.directory_folder import DirectoryFolder, successor
from exchange.security.keys import load_certificates, load_key_pair


def directory_folder(installation: Path, authority: Authority) -> DirectoryFolder:
    """The directory of an installation in a folder."""
    return DirectoryFolder(installation / "directory", load_certificates(authority.statement_root))


def publish(installation: Path, authority: Authority, *bodies: Body) -> None:
    """Publish the next version, with these bodies new or changed."""
    folder = directory_folder(installation, authority)
    latest = folder.latest()
    pair = load_key_pair(authority.directory_signer())
    now = datetime.now(UTC)
    changed = {**latest.bodies, **{body.code: body for body in bodies}}
    folder.publish(successor(latest, changed, now), Signer(pair.certificate, pair.key), now)
