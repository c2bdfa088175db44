"""The router's process."""

from exchange import system
from exchange.security.keys import load_certificates
from exchange.services.process import process_registry
from exchange.services.router.ground import FootingFiles
from exchange.services.router.metrics import RouterMetrics
from exchange.services.router.service import Router
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.settings import RouterSettings


async def run_router(settings: RouterSettings) -> None:
    """Serve lanes until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: certificates, directory or policy cannot be used.
    """
    registry = process_registry({("transport", ""): settings.kafka.certificate}, folders={})
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    roots = load_certificates(settings.directory.roots)
    footings = FootingFiles(settings.directory.folder, settings.policy, roots, system.monotonic)
    footings.current()  # a wrong file is told at once, not lane by lane
    router = Router(settings.kafka, footings, system.now, RouterMetrics(registry))
    with observed(registry, lambda: router.waiting_for, settings.observe.host, settings.observe.port):
        async with changes_told("router", lambda: router.waiting_for):
            await until_signalled(router.run())
