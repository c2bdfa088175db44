"""`exchange console account`: accounts entered, listed, locked, given passwords."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exchange.agent.spool import Spool, outgoing
from exchange.cli import app
from exchange.cli.machine_acts import at_the_machine
from exchange.console.pages.act_words import ACTIONS
from exchange.domain.own_bodies import CONSOLE_BODY
from exchange.domain.statement import Command, Signed
from exchange.store.desk import accounts, sessions
from exchange.store.desk.accounts import Account
from exchange.store.desk.database import DeskStore
from exchange.store.desk.sessions import Session
from exchange.wire.records import decode, decode_statement
from tests.console.auth.people import quick
from tests.world import BODIES, NOW, World

CONSOLE = """
[kafka]
bootstrap = "127.0.0.1:1"
ca = "ca.pem"
certificate = "crt.pem"
key = "key.pem"

[directory]
folder = "directory"
root = "root.json"

[store]
url = "sqlite:///tracker.db"

[desk]
url = "sqlite:///desk.db"

[console]
port = 0
tokens = "tokens"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a console's configuration."""
    (tmp_path / "console.toml").write_text(CONSOLE)
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    """`exchange console account` with this configuration."""
    return CliRunner().invoke(
        app, ["console", "account", *arguments, "--config", str(folder / "console.toml")], catch_exceptions=False
    )


def kept(folder: Path, login: str) -> Account:
    """An account as the desk has it."""
    with DeskStore(f"sqlite:///{folder}/desk.db") as desk, desk.reading() as connection:
        found = accounts.find(connection, login)
    assert found is not None
    return found


def test_an_account_is_entered(folder: Path) -> None:
    """Its temporary password is shown, and kept by Argon2 only; it must be changed."""
    entered = run(folder, "add", "aida", "--role", "auditor", "--name", "Аида", "--json")
    given = json.loads(entered.stdout)["result"]
    account = kept(folder, "aida")
    assert account.is_temporary
    assert account.password.startswith("$argon2id$")
    assert quick().verify(account.password, given["password"])
    assert given["password"] not in account.password
    assert run(folder, "add", "cholpon", "--role", "body-administrator", "--body", "mfa").exit_code == 0
    listed = json.loads(run(folder, "list", "--json").stdout)["result"]
    assert [(each["login"], each["roles"], each["body"]) for each in listed] == [
        ("aida", ["auditor"], ""),
        ("cholpon", ["body-administrator"], "mfa"),
    ]
    assert "Аида" in run(folder, "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "Aida", "--role", "operator"), "account-invalid"),
        (("add", "aida.", "--role", "operator"), "account-invalid"),
        (("add", "aida", "--role", "body-administrator"), "account-invalid"),
        (("add", "aida", "--role", "operator", "--body", "mfa"), "account-invalid"),
        (("lock", "nobody"), "account-unknown"),
        (("password", "nobody"), "account-unknown"),
    ],
)
def test_what_cannot_be(folder: Path, arguments: tuple[str, ...], code: str) -> None:
    """Is refused by its code, and nothing is entered."""
    refused = run(folder, *arguments)
    assert (refused.exit_code, f"error[{code}]" in refused.stderr) == (3, True)
    assert json.loads(run(folder, "list", "--json").stdout)["result"] == []


def test_a_lock_and_another_password(folder: Path) -> None:
    """Both sign the account out everywhere; a lock can be undone."""
    first = json.loads(run(folder, "add", "aida", "--role", "operator", "--json").stdout)["result"]["password"]
    assert "account-taken" in run(folder, "add", "aida", "--role", "operator").stderr
    with DeskStore(f"sqlite:///{folder}/desk.db") as desk, desk.writing() as connection:
        sessions.begin(connection, Session(b"d" * 32, "aida", NOW, NOW, NOW.replace(year=2100), ""))
    assert json.loads(run(folder, "lock", "aida", "--json").stdout)["result"]["sessions_ended"] == 1
    assert kept(folder, "aida").is_locked
    assert run(folder, "lock", "aida", "--undo").exit_code == 0
    assert not kept(folder, "aida").is_locked
    second = run(folder, "password", "aida").stdout.splitlines()[-1]
    assert second != first
    assert quick().verify(kept(folder, "aida").password, second)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A console's folder with the key of its own body, and a directory that lists it."""
    folder = tmp_path_factory.mktemp("spoken")
    world = World(folder / "authority", (*BODIES, CONSOLE_BODY))
    world.publish(folder / "directory")
    (folder / "root.json").write_bytes(world.root)
    files = world.authority.body(CONSOLE_BODY).statement
    speaking = f'[speaking]\nkey = "{files.key}"\ncertificate = "{files.certificate}"\nspool = "spool"\n'
    (folder / "console.toml").write_text(f"{CONSOLE}\n{speaking}")
    return folder


def acts(folder: Path) -> list[tuple[str, str]]:
    """What waits in the console's spool to be said: actions and details."""
    with Spool(folder / "spool" / "spool.sqlite") as spool:
        drafts = spool.call(lambda connection: outgoing.next_drafts(connection, CONSOLE_BODY, 100, 1 << 20))
    said = [decode_statement(decode(Signed, record).statement) for _, record in drafts]
    assert all(isinstance(each, Command) and each.person == at_the_machine() for each in said)
    return [(each.action, each.detail) for each in said if isinstance(each, Command)]


def test_every_change_is_an_act(spoken: Path) -> None:
    """In the name of the machine's account; what is refused is none, and no password is in it."""
    for arguments in (
        ("add", "aida", "--role", "auditor"),
        ("add", "aida", "--role", "auditor"),
        ("add", "cholpon", "--role", "body-administrator", "--body", "mfa"),
        ("password", "aida"),
        ("lock", "aida"),
        ("lock", "aida", "--undo"),
        ("lock", "nobody"),
    ):
        run(spoken, *arguments)
    token = ["console", "token", "dashboard", "--role", "operator", "--config", str(spoken / "console.toml")]
    assert CliRunner().invoke(app, token, catch_exceptions=False).exit_code == 0
    assert acts(spoken) == [
        ("account-add", "aida: auditor"),
        ("account-add", "cholpon: body-administrator of mfa"),
        ("account-password", "aida"),
        ("account-lock", "aida"),
        ("account-unlock", "aida"),
        ("token-add", "dashboard: operator"),
    ]
    assert {action for action, _ in acts(spoken)} <= set(ACTIONS)


def test_what_is_not_kept_is_not_done(spoken: Path) -> None:
    """A spool that cannot be written leaves the account as it was."""
    run(spoken, "add", "bermet", "--role", "operator")
    broken = (spoken / "console.toml").read_text().replace('spool = "spool"', 'spool = "console.toml"')
    (spoken / "broken.toml").write_text(broken)
    locked = ["console", "account", "lock", "bermet", "--config", str(spoken / "broken.toml")]
    assert CliRunner().invoke(app, locked).exit_code != 0
    assert not kept(spoken, "bermet").is_locked


@pytest.mark.parametrize("started", [False, True])
def test_a_console_that_cannot_speak_yet(folder: Path, spoken: Path, *, started: bool) -> None:
    """Says that nothing stands in the journal; nobody can sign in there, either."""
    if started:
        text = (spoken / "console.toml").read_text()
        (folder / "console.toml").write_text(text)
        (folder / "root.json").write_bytes((spoken / "root.json").read_bytes())
    entered = run(folder, "add", "aida", "--role", "auditor")
    assert (entered.exit_code, "not stand in the journal" in entered.stderr) == (0, True)
    assert kept(folder, "aida").user.login == "aida"
