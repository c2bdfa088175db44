"""Clock and randomness: the only place that reads them."""

import os
import time
import uuid
from datetime import UTC, datetime


def now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that only grow, to measure how long something took."""
    return time.monotonic()


def random_bytes(count: int) -> bytes:
    """`count` bytes from the operating system's generator."""
    return os.urandom(count)


def random_id() -> str:
    """A random UUID as text."""
    return str(uuid.uuid4())
