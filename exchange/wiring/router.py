"""The router's process."""

from exchange import system
from exchange.domain.errors import ConfigurationError
from exchange.security.crl_folder import CrlFolder
from exchange.security.directory.folder import DirectoryFolder
from exchange.services.process import process_registry
from exchange.services.router.ground import FootingFiles
from exchange.services.router.metrics import CrlMetrics, RouterMetrics
from exchange.services.router.service import Router
from exchange.services.runner import changes_told, observed, until_signalled
from exchange.settings import RouterSettings
from exchange.wiring.directory import followed
from exchange.wiring.telemetry import traces_of


async def run_router(settings: RouterSettings) -> None:
    """Serve lanes until SIGINT or SIGTERM.

    Raises:
        ConfigurationError: certificates, directory or policy cannot be used.
    """
    registry = process_registry({("transport", ""): settings.kafka.certificate}, folders={})
    settings.kafka.ssl_context()  # a wrong file is told at once, not waited for
    async with followed(settings.directory, settings.kafka, registry):
        directory = DirectoryFolder.at(settings.directory.folder, settings.directory.root)
        crls = None if settings.crl is None else CrlFolder(settings.crl.folder, system.now)
        footings = FootingFiles(directory, settings.policy, system.now, system.monotonic, crls)
        _require_usable(footings)
        RouterMetrics.show_validity(registry, lambda: footings.valid_until)
        if crls is not None:
            registry.register(CrlMetrics(crls))
        with traces_of(settings.telemetry, "router") as traces:
            metrics = RouterMetrics(registry)
            router = Router(settings.kafka, footings, system.now, metrics, settings.tick_seconds, traces)
            with observed(registry, lambda: router.waiting_for, settings.observe.host, settings.observe.port):
                async with changes_told("router", lambda: router.waiting_for):
                    await until_signalled(router.run())


def _require_usable(footings: FootingFiles) -> None:
    """A wrong file is told at once, not lane by lane; a directory that expired is waited for: a newer one may come."""
    try:
        footings.current()
    except ConfigurationError as error:
        if error.code != "directory-expired":
            raise
