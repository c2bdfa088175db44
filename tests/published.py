"""New versions of a test's signed directory, as an operator publishes them."""

from datetime import UTC, datetime
from pathlib import Path

from exchange.domain.directory import Body
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, successor


def directory_folder(installation: Path, authority: Authority) -> DirectoryFolder:
    """The directory of an installation in a folder."""
    return DirectoryFolder.at(installation / "directory", authority.directory.root)


def publish(installation: Path, authority: Authority, *bodies: Body) -> None:
    """Publish the next version, with these bodies new or changed."""
    folder = directory_folder(installation, authority)
    latest, now = folder.latest(), datetime.now(UTC)
    changed = {**latest.bodies, **{body.code: body for body in bodies}}
    DirectoryPublisher(folder).publish(successor(latest, changed, now), authority.directory.publishing(), now)
