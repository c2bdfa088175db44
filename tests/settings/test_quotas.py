"""The quotas file: strict to the last key, and the one that is shipped says what its comments say."""

from pathlib import Path

import pytest

from exchange.bus.access import SERVICES
from exchange.bus.quotas import Quota
from exchange.domain.errors import ConfigurationError
from exchange.embedded.installation import ADMIN
from exchange.resources import resource
from exchange.settings.quotas import read_allowances

ONE = "write_bytes_per_second = 1\nread_bytes_per_second = 2\nrequest_percent = 3\n"
LEAST = f"[body]\n{ONE}[others]\n{ONE}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the table is written."""
    return tmp_path / "quotas.toml"


def test_the_shipped_table_names_every_service() -> None:
    """And whoever is not in use may ask less than a body, a body less than any service that writes much."""
    table = read_allowances(resource("config", "quotas.toml"))
    assert set(table.services) == {*SERVICES, ADMIN}
    assert table.others.producer_bytes_per_second < table.bodies.producer_bytes_per_second
    assert table.others.request_percent < table.bodies.request_percent
    assert table.bodies.producer_bytes_per_second == 256 * 1024


def test_a_kind_says_what_differs(file: Path) -> None:
    """The rest is every body's; services and kinds may be left out."""
    file.write_text(LEAST + "[kind.ministry]\nwrite_bytes_per_second = 9\n" + f"[service.svc-router]\n{ONE}")
    table = read_allowances(file)
    assert table.kinds == {"ministry": Quota(9.0, 2.0, 3.0)}
    assert table.services == {"svc-router": Quota(1.0, 2.0, 3.0)}
    file.write_text(LEAST)
    assert read_allowances(file).kinds == {}


@pytest.mark.parametrize(
    ("text", "code", "names"),
    [
        (f"[body]\n{ONE}", "configuration-key-missing", "[others]"),
        (f"[others]\n{ONE}[body]\nread_bytes_per_second = 2", "configuration-key-missing", "write_bytes_per_second"),
        (LEAST + "[kind.ministry]\nbytes = 9\n", "configuration-key-unknown", "[kind.ministry] bytes"),
        (LEAST + "[kind]\nministry = 9\n", "configuration-value-invalid", "[kind] ministry"),
        (LEAST.replace("1", "0"), "configuration-value-invalid", "write_bytes_per_second"),
        (LEAST + f"[service.router]\n{ONE}", "configuration-value-invalid", "svc-"),
    ],
)
def test_anything_else_is_named(text: str, code: str, names: str, file: Path) -> None:
    """File, table and key."""
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        read_allowances(file)
    assert refused.value.code == code
    assert str(file) in str(refused.value)
    assert names in str(refused.value)
