"""The console's file, and how an operator's file names a console."""

from pathlib import Path

import pytest

from exchange.domain.errors import ConfigurationError
from exchange.settings import operator_settings
from exchange.settings.console import console_settings

COMMON = """
[kafka]
bootstrap = "127.0.0.1:9092"
ca = "ca.pem"
certificate = "me.crt.pem"
key = "me.key.pem"
[directory]
folder = "directory"
root = "root.json"
[store]
url = "sqlite:///tracker.sqlite"
"""
CONSOLE = COMMON + '[console]\nport = 9180\ntokens = "tokens"\n'
OPERATOR = COMMON + "[cluster]\nreplication = 3\nmin_insync = 2\n"


def written(folder: Path, text: str) -> Path:
    """A file with that text."""
    file = folder / "written.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_console(tmp_path: Path) -> None:
    """On this machine only unless it says otherwise; the desk lies beside the tracker's tables."""
    settings = console_settings(written(tmp_path, CONSOLE), {})
    assert (settings.served.host, settings.served.port, settings.served.public_url) == ("127.0.0.1", 9180, "")
    assert settings.served.tokens == tmp_path / "tokens"
    assert settings.served.files is None
    assert settings.desk == settings.store


def test_a_console_for_a_network(tmp_path: Path) -> None:
    """With TLS, and the address that people use."""
    more = 'host = "10.1.2.3"\npublic_url = "https://exchange.example.kg"\ncertificate = "c.pem"\nkey = "k.pem"\n'
    served = console_settings(written(tmp_path, CONSOLE + more), {}).served
    assert served.files is not None
    assert (served.files.key, served.files.certificate) == (tmp_path / "k.pem", tmp_path / "c.pem")
    assert served.public_url == "https://exchange.example.kg"


@pytest.mark.parametrize(
    "url",
    ["exchange.example.kg", "https://a/path", "https://a?b", "ftp://a", "https://a b", "https://[", "https://a:99999"],
)
def test_addresses_that_are_none(tmp_path: Path, url: str) -> None:
    """The public one has a scheme and a host, and nothing else."""
    with pytest.raises(ConfigurationError, match="public_url") as refused:
        console_settings(written(tmp_path, f'{CONSOLE}public_url = "{url}"\n'), {})
    assert refused.value.code == "configuration-value-invalid"


def test_an_operator_who_asks_a_console(tmp_path: Path) -> None:
    """Without the table the database is asked."""
    assert operator_settings(written(tmp_path, OPERATOR), {}).console is None
    table = '[console]\nurl = "https://exchange.example.kg/"\ntoken = "console.token"\nca = "ca.pem"\n'
    access = operator_settings(written(tmp_path, OPERATOR + table), {}).console
    assert access is not None
    assert (access.url, access.token, access.ca) == (
        "https://exchange.example.kg",
        tmp_path / "console.token",
        tmp_path / "ca.pem",
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://exchange.example.kg",
        "http://127.0.0.1:80@exchange.example.kg",
        "https://a/b",
        "https://[",
        "https://a:x",
    ],
)
def test_a_token_does_not_cross_a_network_in_the_clear(tmp_path: Path, url: str) -> None:
    """Plain HTTP is for this machine."""
    table = f'[console]\nurl = "{url}"\ntoken = "console.token"\n'
    with pytest.raises(ConfigurationError, match="https") as refused:
        operator_settings(written(tmp_path, OPERATOR + table), {})
    assert refused.value.code == "configuration-value-invalid"


def test_proxies_of_ours(tmp_path: Path) -> None:
    """Addresses and networks; none unless they are named."""
    assert console_settings(written(tmp_path, CONSOLE), {}).served.proxies == ()
    text = f'{CONSOLE}trusted_proxies = ["127.0.0.1", "10.1.0.0/16", "fd00::/8"]\n'
    assert console_settings(written(tmp_path, text), {}).served.proxies == ("127.0.0.1", "10.1.0.0/16", "fd00::/8")


@pytest.mark.parametrize("proxy", ["*", "proxy.example.kg", "10.1.2.3/16", "0.0.0.0/0", "::/0", "10.0.0.0/33"])
def test_whom_nobody_may_trust(tmp_path: Path, proxy: str) -> None:
    """Names can be taken over, and everybody is nobody's proxy."""
    with pytest.raises(ConfigurationError, match="trusted_proxies") as refused:
        console_settings(written(tmp_path, f'{CONSOLE}trusted_proxies = ["{proxy}"]\n'), {})
    assert refused.value.code == "configuration-value-invalid"
