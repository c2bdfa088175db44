"""Document systems to stand on the other side of each connector, as the contract's tests see them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from adapters.connectors.folder import FolderConnector
from exchange.agent.ports import Connector


class System(Protocol):
    """What an EDMS does and sees. Nothing of it changes when the agent starts anew."""

    def connector(self) -> Connector:
        """A connector as after a start of the agent: the ones before were killed."""
        ...

    def put(self, name: str, files: Mapping[str, bytes], age: int) -> None:
        """Have a package sent; the higher `age`, the later it was written."""
        ...

    def put_unsound(self, name: str) -> None:
        """Have something sent that is no package, older than all others."""
        ...

    def taken(self) -> set[str]:
        """Packages that it was told are taken."""
        ...

    def refused(self) -> dict[str, str]:
        """Code and words of packages that it was told cannot be sent."""
        ...

    def shown(self) -> list[dict[str, bytes]]:
        """Files of each package that arrived."""
        ...


def names(connector: Connector, limit: int = 10) -> list[str]:
    """Names of what waits."""
    return [package.name for package in connector.collect(limit)]


class FolderSystem:
    """An EDMS with a folder."""

    def __init__(self, root: Path) -> None:
        """In `root`."""
        self._root = root

    def connector(self) -> FolderConnector:
        return FolderConnector(self._root)

    def put(self, name: str, files: Mapping[str, bytes], age: int) -> None:
        folder = self._root / "out" / name
        folder.mkdir(parents=True)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        (folder / ".done").touch()
        os.utime(folder, (1000 + age, 1000 + age))

    def put_unsound(self, name: str) -> None:
        (self._root / "out").mkdir(parents=True)
        (self._root / "out" / name).write_bytes(b"%PDF")
        os.utime(self._root / "out" / name, (1, 1))

    def taken(self) -> set[str]:
        return {folder.name for folder in (self._root / "sent").glob("*/*")}

    def refused(self) -> dict[str, str]:
        texts = (self._root / "quarantine").glob("*/problem.txt")
        return {text.parent.name: text.read_text(encoding="utf-8") for text in texts}

    def shown(self) -> list[dict[str, bytes]]:
        folders = (self._root / "in").iterdir()
        return [{file.name: file.read_bytes() for file in folder.iterdir()} for folder in folders]
