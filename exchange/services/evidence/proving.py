"""The directory's files that prove whose certificate it was, without all other bodies' entries.

Of a version that a decision names: the roots up to the one that it is signed under, its snapshot, the list of lists,
what holds for the whole exchange (the issuers), and of each body that speaks the list that names it and its entry.
"""

from collections.abc import Iterable, Iterator

from tuf.api.metadata import Snapshot, Targets

from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import SETTINGS, body_path, hashed, target_digest
from exchange.security.directory.roots import parse


def proving_files(folder: DirectoryFolder, version: int, bodies: Iterable[str]) -> Iterator[str]:
    """Names of the files, each once, in the order in which they are read.

    Raises:
        DirectoryRefused: the folder lacks one of them, or it was altered.
    """
    for root in range(1, folder.signed_under(version) + 1):
        yield f"{root}.root.json"
    name = f"{version}.snapshot.json"
    yield name
    meta = parse(Snapshot, folder.read(name), name).signed.meta
    yield from _named(folder, f"{meta[f'{Targets.type}.json'].version}.{Targets.type}.json", [SETTINGS])
    lists: dict[str, list[str]] = {}
    for body in bodies:
        lists.setdefault(folder.list_of(version, body), []).append(body_path(body))
    for role, paths in lists.items():
        yield from _named(folder, f"{meta[f'{role}.json'].version}.{role}.json", paths)


def _named(folder: DirectoryFolder, name: str, paths: Iterable[str]) -> Iterator[str]:
    """A list, and files that it names."""
    yield name
    listed = parse(Targets, folder.read(name), name).signed.targets
    for path in paths:
        yield hashed(path, target_digest(listed[path], name))
