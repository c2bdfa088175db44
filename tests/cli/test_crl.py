"""`exchange crl fetch`: what a timer runs, and what a person sees of it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.cli import app
from exchange.embedded.demo_bodies import demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.keys import KeyFiles, load_key_pair
from tests.security.lists import revocation_list
from tests.services.crl_issuer import Issuer

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A router's file of an installation that does not run, with a folder of lists."""
    installer = Installer(tmp_path, demo_bodies(), NOW)
    installer.write_settings("127.0.0.1:1")
    file = installer.installation.config("router")
    file.write_text(f'{file.read_text()}\n[crl]\nfolder = "crl"\n')
    return file


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """A server that is reached directly, whatever proxy the machine has."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Issuer() as serving:
        yield serving


def fetch(config: Path, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["crl", "fetch", "--config", str(config), *arguments])


def test_lists_are_fetched_into_the_router_s_folder(config: Path, tmp_path: Path, issuer: Issuer) -> None:
    """A table for people, an object for programs; exit code 1 when one is not taken."""
    root = Authority(tmp_path / "authority", now=NOW).statement_root
    pair = load_key_pair(KeyFiles(root.with_name("statement.key.pem"), root))
    day = timedelta(days=1)
    issuer.pages["/a.crl"] = revocation_list(pair, number=7, this_update=NOW - day, next_update=NOW + day)
    done = fetch(config, "--url", issuer.url("/a.crl"))
    assert done.exit_code == 0, done.output
    assert "Exchange statement root" in done.output
    assert "new" in done.output
    assert len(list((config.parent / "crl").iterdir())) == 1
    done = fetch(config, "--url", issuer.url("/a.crl"), "--url", issuer.url("/b.crl"), "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["ok"], [each["code"] for each in found["result"]]) == (False, ["", "crl-not-fetched"])
    assert "crl-not-fetched" in fetch(config, "--url", issuer.url("/b.crl")).output


def test_nobody_says_where_lists_are(config: Path) -> None:
    """Neither the settings nor the certificates of the demo; and a router without a folder of lists."""
    done = fetch(config, "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (3, "crl-not-configured")
    config.write_text(config.read_text().partition("[crl]")[0])
    done = fetch(config, "--json")
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (3, "crl-not-configured")
