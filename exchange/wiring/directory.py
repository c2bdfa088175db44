"""The signed directory as settings name it."""

from exchange.domain.directory import Directory
from exchange.security.directory_folder import DirectoryFolder
from exchange.settings import DirectorySettings


def latest_directory(settings: DirectorySettings) -> Directory:
    """The newest version of the directory.

    Raises:
        DirectoryRefused: root or directory cannot be used.
    """
    return DirectoryFolder.at(settings.folder, settings.root).latest()
