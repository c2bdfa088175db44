"""A broker that is away costs a try now and then, not a busy core."""

import asyncio
import socket

from aiokafka.client import AIOKafkaClient
from aiokafka.structs import BrokerMetadata

from exchange.bus import patience


async def test_failed_update_is_followed_by_a_pause() -> None:
    """The next try comes a quarter of a second later, however fast the refusal was."""
    patience.wait_between_updates()
    patience.wait_between_updates()
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    client.cluster._brokers = {1: BrokerMetadata(1, "127.0.0.1", port, None)}
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await client._metadata_update(client.cluster, []) is False
    assert loop.time() - begun >= patience.FAILED_UPDATE_SECONDS * 0.9
    await client.close()
