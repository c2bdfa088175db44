"""What the commands of `exchange adapter` are given: a profile with a directory, and packages."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.profile import Profile, read_profile
from exchange.agent.ports import Format, Package
from exchange.domain.directory import Directory
from exchange.domain.errors import ConfigurationError, DocumentError
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.documents import NOBODY, Anchors
from exchange.settings.agent import agent_settings

ENCODINGS = ("utf-8", "cp1251")
BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A profile, and the directory that addressees are looked up in.

    Attributes:
        known: False where there is no directory: then identifiers stand for themselves.
        anchors: who is trusted to vouch for signers of documents.
    """

    profile: Profile
    directory: Directory
    known: bool
    anchors: Anchors = NOBODY


def opened(config: Path, body: str, environ: Mapping[str, str], now: datetime) -> Opened:
    """What a file says: a profile alone, or an agent's configuration with its copy of the directory.

    Raises:
        ConfigurationError: as `read_profile` and `agent_settings`; `body-not-here`, `profile-missing`.
        KeyRefused: the file of those who vouch for signers cannot be used.
    """
    if not _is_agents(config):
        return Opened(read_profile(config), nobody(now), known=False)
    settings = agent_settings(config, environ)
    folder = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
    there = (folder.folder / TIMESTAMP).exists()
    directory = folder.latest() if there else nobody(now)
    carried = settings.carried(directory)
    chosen = next((each for each in carried if body in {"", each.code}), None)
    if chosen is None:
        known = ", ".join(each.code for each in carried)
        raise ConfigurationError(f"{config}: '{body[:63]}' is none of its bodies: {known}", code="body-not-here")
    if chosen.edms is None:
        message = f'{config}: {chosen.code} has no document system: give its [[body]] an edms = "<profile>"'
        raise ConfigurationError(message, code="profile-missing")
    return Opened(chosen.edms, directory, known=there, anchors=Anchors.load(settings.documents))


def nobody(now: datetime) -> Directory:
    """A directory that lists nobody."""
    return Directory(ZERO_DIGEST, 1, ZERO_DIGEST, ZERO_DIGEST, now, 1, 1, (), {})


def package_at(path: Path, fmt: Format, directory: Directory) -> Package:
    """A path as a package: a folder with its files, or a document with the files that it names and that lie beside it.

    Raises:
        DocumentError: `file-missing`, `document-too-large`.
    """
    try:
        if path.is_dir():
            return _package(path.name, [file for file in path.iterdir() if file.is_file()])
        alone = _package(path.name, [path])
        return _package(path.name, [path, *_named_in(path)]) if _lacks_files(alone, fmt, directory) else alone
    except OSError as error:
        message = f"cannot be read ({error.strerror}): name a document, or the folder of one with its files"
        raise DocumentError(message, code="file-missing", place=str(path)) from error


def _package(name: str, files: Sequence[Path]) -> Package:
    return Package(name, {file.name: _read(file) for file in files if not file.name.startswith(".")})


def _lacks_files(package: Package, fmt: Format, directory: Directory) -> bool:
    """Whether a document names files that it does not hold itself."""
    try:
        fmt.parse(package, directory)
    except DocumentError as error:
        return error.code == "file-missing"
    return False


def _is_agents(config: Path) -> bool:
    """Whether a file is an agent's configuration; what cannot be read is told by who reads it next."""
    try:
        return "kafka" in tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _named_in(document: Path) -> list[Path]:
    """Files beside a document whose names stand in it."""
    data = _read(document)
    beside = [file for file in document.parent.iterdir() if file.is_file() and file != document]
    return [file for file in beside if any(_holds(data, file.name, encoding) for encoding in ENCODINGS)]


def _holds(data: bytes, name: str, encoding: str) -> bool:
    try:
        return name.encode(encoding) in data
    except UnicodeEncodeError:
        return False


def _read(file: Path) -> bytes:
    if file.stat().st_size > BYTES:
        message = f"has more than {BYTES // 2**20} MB: send what is so large in another way"
        raise DocumentError(message, code="document-too-large", place=str(file))
    return file.read_bytes()
