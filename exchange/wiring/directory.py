"""The signed directory as settings name it."""

from exchange.domain.directory import Directory
from exchange.security.directory_folder import DirectoryFolder
from exchange.security.keys import load_certificates
from exchange.settings import DirectorySettings


def latest_directory(settings: DirectorySettings) -> Directory:
    """The newest version of the directory.

    Raises:
        KeyRefused, DirectoryRefused: roots or directory cannot be used.
    """
    return DirectoryFolder(settings.folder, load_certificates(settings.roots)).latest()
