"""Where a process tells its traces, as settings say."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from exchange.domain.errors import ConfigurationError
from exchange.domain.trace import Traces
from exchange.settings.telemetry import TelemetrySettings


@contextmanager
def traces_of(settings: TelemetrySettings | None, service: str) -> Iterator[Traces | None]:
    """What takes a process's steps while the context lasts; None where nobody wants them, and nothing is loaded.

    Raises:
        ConfigurationError: `telemetry-missing`.
    """
    if settings is None:
        yield None
        return
    try:
        telemetry = importlib.import_module("exchange.services.telemetry")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "opentelemetry":
            raise
        message = "[telemetry] needs packages that are not here: pip install 'exchange[otel]', or remove the table"
        raise ConfigurationError(message, code="telemetry-missing") from error
    with telemetry.OtlpTraces(settings.endpoint, f"exchange-{service}") as traces:
        yield traces
