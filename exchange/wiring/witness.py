"""The witness's process."""

from contextlib import ExitStack

import httpx

from exchange import system
from exchange.archive.remote import RemoteLogReader
from exchange.security.log_keys import load_log_key
from exchange.services.http.listening import Address, listening, serve
from exchange.services.http.renewing import renewed_tls
from exchange.services.process import process_registry
from exchange.services.runner import observed, until_signalled
from exchange.services.witness.app import application
from exchange.services.witness.keeping import Keeper
from exchange.services.witness.metrics import WitnessMetrics
from exchange.services.witness.service import WatchedLog, Witness
from exchange.services.witness.state import WitnessState
from exchange.settings.witness import WitnessSettings
from exchange.tlog.note import Kind

CONNECTIONS = 64
FETCH_SECONDS = 2.0
"""For each step of fetching a tile: who asks us waits for five in all."""


async def run_witness(settings: WitnessSettings) -> None:
    """Cosign until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: the key, TLS's files or the addresses cannot be used.
        WitnessFailed: the state cannot be opened.
    """
    signer = load_log_key(settings.key, settings.name, Kind.COSIGNATURE, settings.passphrase)
    tls = {} if settings.files is None else {("witness", ""): settings.files.certificate}
    registry = process_registry(tls, {("witness", ""): settings.state})
    keeper = Keeper(settings.state / "contradictions")
    with ExitStack() as stack:
        state = stack.enter_context(WitnessState(settings.state / "witness.sqlite"))
        client = stack.enter_context(httpx.Client(timeout=FETCH_SECONDS))
        logs = {
            name: WatchedLog(each.key, RemoteLogReader(each.tiles, client) if each.tiles else None)
            for name, each in settings.logs.items()
        }
        witness = Witness(signer, logs, state, keeper, WitnessMetrics(registry, keeper), _seconds)
        address = Address(settings.host, settings.port, settings.files, table="listen")
        listener = stack.enter_context(listening(address))
        stack.enter_context(
            observed(registry, lambda: witness.waiting_for, settings.observe.host, settings.observe.port)
        )
        async with renewed_tls(address) as context:
            await until_signalled(serve(application(witness), listener, context, _nothing_waits, CONNECTIONS))


def _seconds() -> int:
    return int(system.now().timestamp())


def _nothing_waits() -> None:
    """No answer waits for anything but its own work."""
