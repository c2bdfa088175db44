"""The [telemetry] table: a collector, reached safely, or none."""

from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.settings.telemetry import TelemetrySettings, read_telemetry
from exchange.settings.toml import opened


def read(folder: Path, text: str) -> TelemetrySettings | None:
    """The table of a file with this text."""
    file = folder / "router.toml"
    file.write_text(text, encoding="utf-8")
    with opened(file) as top:
        return read_telemetry(top)


def test_no_table_no_traces(tmp_path: Path) -> None:
    """They are off unless somebody asks for them."""
    assert read(tmp_path, "") is None


@pytest.mark.parametrize(
    "endpoint",
    ["https://collector.example.kg:4318", "http://127.0.0.1:4318", "http://[::1]:4318", "http://localhost:4318"],
)
def test_a_collector(tmp_path: Path, endpoint: str) -> None:
    """By TLS, or on this machine."""
    for given in (endpoint, f"{endpoint}/"):
        assert read(tmp_path, f'[telemetry]\notlp_endpoint = "{given}"\n') == TelemetrySettings(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://collector.example.kg:4318",
        "ftp://127.0.0.1",
        "collector.example.kg",
        "https://",
        "https://who:word@collector.example.kg",
        "https://collector.example.kg/?a=b",
        "https://collector.example.kg:99999",
        "https://collector.example.kg:0",
        "https://[",
        f"https://{'a' * 300}.kg",
    ],
)
def test_what_is_no_collector(tmp_path: Path, endpoint: str) -> None:
    """The refusal names the key, and what to write."""
    with pytest.raises(ConfigurationError, match=r"\[telemetry\] otlp_endpoint must be https") as refused:
        read(tmp_path, f'[telemetry]\notlp_endpoint = "{endpoint}"\n')
    assert refused.value.code == "configuration-value-invalid"


def test_no_other_key(tmp_path: Path) -> None:
    """What nobody reads is refused."""
    with pytest.raises(ConfigurationError, match="sample"):
        read(tmp_path, '[telemetry]\notlp_endpoint = "https://collector.example.kg"\nsample = 1\n')
