"""What the router decides by, read from files and watched: the signed directory and the policy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from exchange.domain.statement import Content
from exchange.journal.examine import Ground


@dataclass(frozen=True, slots=True)
class Footing:
    """A ground with the bytes that prove it, journalled beside the `Basis` (rule 5.3).

    Attributes:
        ground: directory, policy and trust.
        contents: the signed directory file, its signature, the policy file.
    """

    ground: Ground
    contents: tuple[Content, ...]


class FootingSource(Protocol):
    """Where footings come from: a folder today, a Kafka topic later."""

    def current(self) -> Footing:
        """The latest footing; cheap when nothing changed. Raises `ConfigurationError`."""
        ...


def unsalted(data: bytes) -> Content:
    """Public bytes as contents: nothing to hide, so no salt."""
    return Content(b"", data)


def policy_file(path: Path) -> bytes:
    """Bytes of the policy file."""
    return path.read_bytes()
