"""Keeps a client that cannot reach its broker from trying thousands of times a second.

aiokafka's fetcher asks for new metadata as long as a partition has no leader, and a refused connection
answers at once: with the broker away, some 700 attempts a second were seen, each with two log lines.
The one place in which that is changed is `wait_between_updates`.
"""

import asyncio
from typing import Any

from aiokafka.client import AIOKafkaClient

FAILED_UPDATE_SECONDS = 0.25
"""Pause after metadata could not be had; a broker's restart takes seconds, so nobody waits longer for it."""

_update = AIOKafkaClient._metadata_update  # noqa: SLF001 - there is no option for it


async def _patient_update(client: AIOKafkaClient, *arguments: Any) -> Any:
    updated = await _update(client, *arguments)
    if not updated:
        await asyncio.sleep(FAILED_UPDATE_SECONDS)
    return updated


def wait_between_updates() -> None:
    """Make every client of this process wait after a failed update; calling it again changes nothing."""
    AIOKafkaClient._metadata_update = _patient_update  # noqa: SLF001
