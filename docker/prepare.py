"""Keys, directory and settings of the installation that `compose.yaml` runs: for trying, not for letters of a state.

    .venv/bin/python docker/prepare.py                 into docker/state
    docker compose --file docker/compose.yaml up

It is what `exchange dev up` makes, with the names that containers have for each other. Roots and keepers' keys lie in
the same folder: in production they are made by a ceremony (docs/operate/README.md) and lie elsewhere.
"""

import argparse
import os
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from exchange.domain.directory import Names
from exchange.embedded.demo_bodies import ECHO, DemoBody, demo_bodies
from exchange.embedded.installation import Installer
from exchange.security.authority import Authority
from exchange.security.certificates import certify_leaf
from exchange.security.files import PRIVATE, write_atomically
from exchange.security.keys import KeyFiles, load_key_pair
from exchange.security.purpose import Purpose
from exchange.security.validity import Validity
from exchange.settings.toml import table_text

BROKER = "kafka"
BOOTSTRAP = f"{BROKER}:9093"
AGENTS = ("mfa", "minjust")
CANARY = DemoBody("canary", Names("Канарейка", "Канарейка", "Canary"), "exchange", ("EXCHANGE-CANARY",), "", "infodocs")
SERVICES = (
    *("directory", "router", "tracker", "archive", "console", "operator", "echo", "canary"),
    *(f"agent-{b}" for b in AGENTS),
)
OBSERVE = table_text("observe", host="0.0.0.0", port=9100)  # noqa: S104  # a network of containers, not the machine's
STORE = 'url = "postgresql://exchange@postgres/exchange"'
CONSOLE = table_text(
    "console",
    host="0.0.0.0",  # noqa: S104  # as above
    port=9180,
    public_url="https://localhost:9180",
    tokens="/var/lib/exchange/tokens",
    certificate="authority/services/console/web.crt.pem",
    key="authority/services/console/web.key.pem",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make everything that is not there yet."""
    parser = argparse.ArgumentParser(description="Prepare docker/state for docker/compose.yaml.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "state")
    prepare(parser.parse_args(arguments).folder.absolute(), datetime.now(UTC))


def prepare(folder: Path, now: datetime) -> None:
    """Make what is not there yet in `folder`, and write every process's settings anew."""
    bodies = [ECHO, CANARY, *(body for body in demo_bodies() if body.code in AGENTS)]
    Authority(folder / "authority", now=now).broker(hosts=(BROKER, "localhost"))
    installer = Installer(folder, bodies, now, served=True, console=True)
    installer.write_settings(BOOTSTRAP)
    _console_certificate(folder / "authority", now)
    _passwords(folder)
    _canary(folder)
    _unwitnessed(folder)
    for service in SERVICES:
        file = folder / f"{service}.toml"
        file.write_text(_in_container(file.read_text(encoding="utf-8")), encoding="utf-8")
    for name in (*SERVICES, "kafka", "postgres", "prometheus", "grafana"):
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)


def _in_container(text: str) -> str:
    """Settings of this machine as a container has them: its own network, its own database, its own folders."""
    text = re.sub(r"(?m)^\[observe\]\n(?:\w+ = .*\n)*", OBSERVE, text)
    text = re.sub(r'(?m)^url = "sqlite:.*"$', STORE, text)
    text = re.sub(r'(?m)^folder = "(spool|copies)/[^"]*"$', r'folder = "/var/lib/exchange/\1"', text)
    text = re.sub(r'(?m)^spool = "spool/[^"]*"$', 'spool = "/var/lib/exchange/spool"', text)
    text = re.sub(r'(?m)^folder = "archive"$', 'folder = "/var/lib/exchange/archive"', text)
    text = re.sub(r"(?m)^\[serve\]\n(?:\w+ = .*\n)*", "", text)
    text = re.sub(r"(?m)^\[console\]\n(?:\w+ = .*\n)*", CONSOLE, text)
    return text if "follow = true" in text else _following(text)


def _following(text: str) -> str:
    """Routers and others have copies of the directory, too: only its service has the folder itself."""
    copy = 'folder = "/var/lib/exchange/copies"\nfollow = true'
    return text if "[clock]" in text else text.replace('folder = "directory"', copy)


def _canary(folder: Path) -> None:
    """The canary's settings are its agent's, without a document system; nobody runs that agent."""
    agent = folder / f"agent-{CANARY.code}.toml"
    said = re.sub(r"(?m)^edms = .*\n", "", agent.read_text(encoding="utf-8"))
    (folder / "canary.toml").write_text(said + "\n" + table_text("canary", to=ECHO.code), encoding="utf-8")
    agent.unlink()


def _unwitnessed(folder: Path) -> None:
    """The log's policy without the witness for trying out, who has no container."""
    policy = folder / "log" / "log.policy"
    (log, *_) = policy.read_text(encoding="utf-8").splitlines()
    policy.write_text(f"{log}\nquorum none\n", encoding="utf-8")


def _console_certificate(authority: Path, now: datetime) -> None:
    """What browsers see; by the transport root, which they do not know: they will ask."""
    folder = authority / "services" / "console"
    if (folder / "web.crt.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    ca = authority / "ca"
    root = load_key_pair(KeyFiles(ca / "transport.key.pem", ca / "transport.crt.pem"))
    key = ec.generate_private_key(ec.SECP256R1())
    validity = Validity(now, root.certificate.not_valid_after_utc)
    certificate = certify_leaf(key.public_key(), "console", Purpose.SERVER, validity, root, ("localhost", "console"))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(folder / "web.key.pem", secret, mode=PRIVATE)
    write_atomically(folder / "web.crt.pem", certificate.public_bytes(Encoding.PEM))


def _passwords(folder: Path) -> None:
    """Of the database and of Grafana's administrator; made once."""
    word = secrets.token_urlsafe(24)
    made = {
        "postgres-password": word,
        "pgpass": f"postgres:5432:*:exchange:{word}\n",
        "grafana-password": secrets.token_urlsafe(24),
    }
    if (folder / "secrets").exists():
        return
    (folder / "secrets").mkdir()
    for name, text in made.items():
        write_atomically(folder / "secrets" / name, text.encode(), mode=PRIVATE)


if __name__ == "__main__":
    os.umask(0o077)
    main()
