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
    *("directory", "router", "tracker", "archive", "witness", "console", "operator", "echo", "canary"),
    *(f"agent-{b}" for b in AGENTS),
)
OBSERVE = table_text("observe", host="0.0.0.0", port=9100)  # noqa: S104  # a network of containers, not the machine's
STORE = 'url = "postgresql://exchange@postgres/exchange"'
SERVERS = {"console": 9180, "archive": 9106, "witness": 7380}
"""Who is spoken to over HTTPS, by a container's name, and at which port."""


def _served(table: str, holder: str, **more: str) -> str:
    """A table of who listens."""
    place = f"authority/services/{holder}/web"
    return table_text(
        table,
        host="0.0.0.0",  # noqa: S104  # as above
        port=SERVERS[holder],
        certificate=f"{place}.crt.pem",
        key=f"{place}.key.pem",
        **more,
    )


TABLES = {
    "observe": OBSERVE,
    "serve": _served("serve", "archive"),
    "listen": _served("listen", "witness"),
    "console": _served("console", "console", public_url="https://localhost:9180", tokens="/var/lib/exchange/tokens"),
    "timestamps": "",
}
"""What stands in a container's file instead; the authority of this machine cannot be reached from there."""


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
    for holder in SERVERS:
        _web_certificate(folder / "authority", holder, now)
    _passwords(folder)
    _canary(folder)
    _operator(folder)
    _policy(folder)
    for service in SERVICES:
        file = folder / f"{service}.toml"
        file.write_text(_in_container(file.read_text(encoding="utf-8")), encoding="utf-8")
    for name in (*SERVICES, "kafka", "postgres", "prometheus", "grafana"):
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)


def _in_container(text: str) -> str:
    """Settings of this machine as a container has them: its own network, its own database, its own folders."""
    for table, written in TABLES.items():
        text = re.sub(rf"(?m)^\[{table}\]\n(?:\w+ = .*\n)*", written, text)
    text = re.sub(r'(?m)^url = "sqlite:.*"$', STORE, text)
    text = re.sub(r'(?m)^folder = "(spool|copies)/[^"]*"$', r'folder = "/var/lib/exchange/\1"', text)
    text = re.sub(r'(?m)^spool = "spool/[^"]*"$', 'spool = "/var/lib/exchange/spool"', text)
    text = re.sub(r'(?m)^folder = "archive"$', 'folder = "/var/lib/exchange/archive"', text)
    text = re.sub(r'(?m)^state = "witness"$', 'state = "/var/lib/exchange/witness"', text)
    text = re.sub(r'(?m)^tiles = ".*"$', f'tiles = "https://archive:{SERVERS["archive"]}"', text)
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


def _operator(folder: Path) -> None:
    """Operators' commands run in a container of their own, which has no archive's folder."""
    file = folder / "operator.toml"
    said = re.sub(r"(?m)^\[(archive|log)\]\n(?:\w+ = .*\n)*", "", file.read_text(encoding="utf-8"))
    file.write_text(said, encoding="utf-8")


def _policy(folder: Path) -> None:
    """The log's policy asks the witness where its container is."""
    policy = folder / "log" / "log.policy"
    asked = re.sub(r"http://\S+", f"https://witness:{SERVERS['witness']}", policy.read_text(encoding="utf-8"))
    policy.write_text(asked, encoding="utf-8")


def _web_certificate(authority: Path, holder: str, now: datetime) -> None:
    """What callers see; by the transport root, which the other containers are told and browsers will ask about."""
    folder = authority / "services" / holder
    if (folder / "web.crt.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    ca = authority / "ca"
    root = load_key_pair(KeyFiles(ca / "transport.key.pem", ca / "transport.crt.pem"))
    key = ec.generate_private_key(ec.SECP256R1())
    validity = Validity(now, root.certificate.not_valid_after_utc)
    certificate = certify_leaf(key.public_key(), holder, Purpose.SERVER, validity, root, ("localhost", holder))
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
