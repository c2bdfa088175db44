"""Settings: strict to the last key, and errors that name file, table, key and the next step."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.profile import read_profile
from exchange.bus.line import ORDINARY, THIN
from exchange.domain.directory import Body, BodyStatus, Directory, Names
from exchange.domain.errors import ConfigurationError
from exchange.resources import resource
from exchange.settings import auditor_settings, directory_settings, operator_settings, router_settings, tracker_settings
from exchange.settings.agent import agent_settings, canary_settings
from exchange.settings.tables import ArchiveSettings, CrlSettings, ObserveSettings

KAFKA = '[kafka]\nbootstrap = "127.0.0.1:9092"\nca = "ca.pem"\ncertificate = "me.crt.pem"\nkey = "me.key.pem"\n'
DIRECTORY = '[directory]\nfolder = "directory"\nroot = "root.json"\n'
POLICY = '[policy]\nfile = "policy.toml"\n'
STORE = '[store]\nurl = "sqlite:///tracker.sqlite"\n'
CLUSTER = "[cluster]\nreplication = 3\nmin_insync = 2\n"
SPOOL = '[spool]\nfolder = "spool"\n'
BODY = '[[body]]\ncode = "mfa"\nkey = "s.key.pem"\ncertificate = "s.crt.pem"\nedms = "edms.toml"\n'

ROUTER = KAFKA + DIRECTORY + POLICY
AUDITOR = KAFKA + DIRECTORY + STORE
TRACKER = AUDITOR + POLICY
AGENT = KAFKA + DIRECTORY + POLICY + SPOOL + BODY
OPERATOR = AUDITOR + CLUSTER
SERVICE = KAFKA + DIRECTORY + CLUSTER + '[clock]\nkey = "clock"\n'

Reader = Callable[[Path, Mapping[str, str]], Any]
READERS: list[tuple[Reader, str]] = [
    (router_settings, ROUTER),
    (tracker_settings, TRACKER),
    (agent_settings, AGENT),
    (operator_settings, OPERATOR),
    (auditor_settings, AUDITOR),
    (directory_settings, SERVICE),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the configuration is written, beside the profile that it names."""
    profile = 'format = "medo-2.6"\n[connector]\nkind = "folder"\npath = "edms"\n'
    (tmp_path / "edms.toml").write_text(profile)
    (tmp_path / "many.toml").write_text(profile.replace('"edms"', '"edms/{body}"'))
    return tmp_path / "settings.toml"


@pytest.mark.parametrize(("reader", "text"), READERS)
def test_a_whole_file_is_read(reader: Reader, text: str, file: Path) -> None:
    """Each process reads its own tables; relative paths begin at the file's folder."""
    file.write_text(text)
    settings = reader(file, {})
    assert settings.kafka.bootstrap == "127.0.0.1:9092"
    assert settings.kafka.key == file.parent / "me.key.pem"
    assert settings.directory.root == file.parent / "root.json"


def test_the_rest_of_each_file_arrives(file: Path) -> None:
    """What only one process has: policy, database, spool and bodies, the cluster's copies."""
    file.write_text(ROUTER + '[observe]\nhost = "::1"\nport = 9100\n')
    assert router_settings(file, {}).observe == ObserveSettings("::1", 9100)
    file.write_text(AGENT)
    (body,) = agent_settings(file, {}).bodies
    assert (body.code, body.edms, body.folder) == ("mfa", read_profile(file.parent / "edms.toml"), file.parent / "edms")
    file.write_text(OPERATOR)
    operator = operator_settings(file, {})
    assert operator.store == f"sqlite:///{file.parent}/tracker.sqlite"
    assert operator.shape(8, 4).replication == 3
    assert operator.quotas == resource("config", "quotas.toml")
    file.write_text(OPERATOR + '[quotas]\nfile = "quotas.toml"\n')
    assert operator_settings(file, {}).quotas == file.parent / "quotas.toml"
    file.write_text(SERVICE)
    assert directory_settings(file, {}).apply
    file.write_text(SERVICE.replace("min_insync = 2", "min_insync = 2\napply = false"))
    assert not directory_settings(file, {}).apply


def test_a_router_may_have_revocation_lists(file: Path) -> None:
    """A folder, and where to fetch them from; without the table only the directory says what is revoked."""
    file.write_text(ROUTER)
    assert router_settings(file, {}).crl is None
    file.write_text(ROUTER + '[crl]\nfolder = "crl"\n')
    assert router_settings(file, {}).crl == CrlSettings(file.parent / "crl", ())
    file.write_text(ROUTER + '[crl]\nfolder = "crl"\nurls = ["http://crl.example/a.crl"]\n')
    assert router_settings(file, {}).crl == CrlSettings(file.parent / "crl", ("http://crl.example/a.crl",))
    for wrong in ('"http://crl.example"', "[3]", '[""]'):
        file.write_text(ROUTER + f'[crl]\nfolder = "crl"\nurls = {wrong}\n')
        with pytest.raises(ConfigurationError, match=r"\[crl\] urls must be a list of different texts"):
            router_settings(file, {})


def test_a_router_ticks_as_often_as_it_is_told(file: Path) -> None:
    """Every half minute unless the file says it, within bounds."""
    file.write_text(ROUTER)
    assert router_settings(file, {}).tick_seconds == 30
    file.write_text(f"{ROUTER}[router]\ntick_seconds = 5\n")
    assert router_settings(file, {}).tick_seconds == 5
    for wrong in (0, 301, "2.5", '"5"', "true"):
        file.write_text(f"{ROUTER}[router]\ntick_seconds = {wrong}\n")
        with pytest.raises(ConfigurationError, match=r"\[router\] tick_seconds must be a whole number from 1 to 300"):
            router_settings(file, {})


def test_other_databases_are_left_as_they_are(file: Path) -> None:
    """Only SQLite's relative files depend on where the configuration lies."""
    for url in ("postgresql://tracker@db/exchange", "sqlite:////var/lib/tracker.sqlite", "sqlite:///:memory:"):
        file.write_text(KAFKA + DIRECTORY + POLICY + f'[store]\nurl = "{url}"\n')
        assert tracker_settings(file, {}).store == url


def test_an_agent_may_serve_a_body_without_a_folder(file: Path) -> None:
    """Then its letters wait in the spool for the client."""
    file.write_text(AGENT.replace('edms = "edms.toml"\n', ""))
    assert agent_settings(file, {}).bodies[0].edms is None


def test_the_canary_is_an_agent_that_writes(file: Path) -> None:
    """Each minute, and it waits a minute, unless its file says otherwise; one body must be there to write."""
    file.write_text(AGENT + '[canary]\nto = "echo"\n')
    canary = canary_settings(file, {})
    assert (canary.echo, canary.every_seconds, canary.within_seconds) == ("echo", 60, 60)
    assert canary.agent.bodies[0].code == "mfa"
    file.write_text(AGENT.replace(BODY, "") + GATEWAY + '[canary]\nto = "echo"\n')
    with pytest.raises(ConfigurationError, match=r"\[body\] must name the body that writes"):
        canary_settings(file, {})


def test_an_agent_s_policy_of_the_log(file: Path) -> None:
    """Nobody reads the log's proofs unless the file says whose word counts."""
    file.write_text(AGENT)
    assert agent_settings(file, {}).log is None
    file.write_text(AGENT + '[log]\npolicy = "log.policy"\n')
    assert agent_settings(file, {}).log == file.parent / "log.policy"


def test_who_vouches_for_signers_of_documents(file: Path) -> None:
    """Nobody, unless a file names them."""
    file.write_text(AGENT)
    assert agent_settings(file, {}).documents is None
    file.write_text(AGENT + '[documents]\ntrust = "document-roots.pem"\n')
    assert agent_settings(file, {}).documents == file.parent / "document-roots.pem"


GATEWAY = """
[gateway]
body = "sanarip-aimak"
keys = "bodies/{body}"
edms = "many.toml"
"""


def test_a_gateway_carries_whom_the_directory_gives_to_it(file: Path) -> None:
    """Each by the pattern; who has a table of its own keeps that; who is not let in waits."""
    file.write_text(AGENT.replace(BODY, "") + GATEWAY)
    settings = agent_settings(file, {})
    names = Names("x", "x", "x")
    carried = {
        code: Body(code, names, "ayil-okmotu", status, gateway=gateway)
        for code, status, gateway in (
            ("ak-suu", BodyStatus.CONNECTED, "sanarip-aimak"),
            ("batken", BodyStatus.PLANNED, "sanarip-aimak"),
            ("mfa", BodyStatus.CONNECTED, ""),
            ("osh", BodyStatus.TESTING, "another"),
            ("sanarip-aimak", BodyStatus.CONNECTED, "sanarip-aimak"),
        )
    }
    directory = Directory(bytes(32), 1, bytes(32), bytes(32), datetime.now(UTC), 4, 4, (), carried)
    (only,) = settings.carried(directory)
    assert only.code == "ak-suu"
    assert only.statement.key == file.parent / "bodies" / "ak-suu" / "statement.key.pem"
    assert only.folder == file.parent / "edms" / "ak-suu"
    file.write_text(AGENT.replace('"mfa"', '"ak-suu"') + GATEWAY)
    settings = agent_settings(file, {})
    assert settings.carried(directory) == settings.bodies


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GATEWAY.replace('"bodies/{body}"', '"bodies"'), "[gateway] keys must hold {body}"),
        (
            GATEWAY.replace("many.toml", "edms.toml"),
            "[gateway] edms is a profile that must have the folder connector, and {body} in its path",
        ),
        (GATEWAY.replace('"sanarip-aimak"', '"svc-router"'), "[gateway] body is no body code"),
    ],
)
def test_a_gateway_is_checked(text: str, words: str, file: Path) -> None:
    """Two bodies never share a folder, of keys or of letters."""
    file.write_text(AGENT.replace(BODY, "") + text)
    with pytest.raises(ConfigurationError) as caught:
        agent_settings(file, {})
    assert words in str(caught.value)


def test_the_line_to_the_brokers(file: Path) -> None:
    """An ordinary one unless the file says that it is thin."""
    file.write_text(AGENT)
    assert agent_settings(file, {}).kafka.line == ORDINARY
    file.write_text(AGENT.replace("[kafka]\n", '[kafka]\nline = "thin"\n'))
    assert agent_settings(file, {}).kafka.line == THIN
    file.write_text(AGENT.replace("[kafka]\n", '[kafka]\nline = "wet"\n'))
    with pytest.raises(ConfigurationError, match="line must be one of ordinary, thin"):
        agent_settings(file, {})


def test_the_environment_wins(file: Path) -> None:
    """The user's own cluster needs no change of files, nor a [kafka] table at all."""
    own = {
        "EXCHANGE_KAFKA_BOOTSTRAP": "kafka:9093",
        "EXCHANGE_KAFKA_CA": "/tls/ca.pem",
        "EXCHANGE_KAFKA_CERTIFICATE": "/tls/me.pem",
        "EXCHANGE_KAFKA_KEY": "/tls/me.key",
    }
    for text in (TRACKER, DIRECTORY + STORE + POLICY):
        file.write_text(text)
        kafka = tracker_settings(file, own).kafka
        assert (kafka.bootstrap, str(kafka.ca), str(kafka.key)) == ("kafka:9093", "/tls/ca.pem", "/tls/me.key")


def test_passphrases_are_named_by_their_files(file: Path) -> None:
    """For each key; the environment wins here too."""
    file.write_text(AGENT.replace('key = "', 'passphrase_file = "p"\nkey = "'))
    settings = agent_settings(file, {})
    assert settings.kafka.files.passphrase == settings.bodies[0].statement.passphrase == file.parent / "p"
    assert agent_settings(file, {"EXCHANGE_KAFKA_PASSPHRASE_FILE": "/p"}).kafka.passphrase == Path("/p")
    file.write_text(AGENT)
    assert agent_settings(file, {}).kafka.passphrase is None


def test_systemd_gives_keys_and_passphrases(file: Path) -> None:
    """By the name in `LoadCredential=`; without systemd, and with a path for a name, the error says so."""
    file.write_text(AGENT.replace('"s.key.pem"', '"credential:key"\npassphrase_file = "credential:secret"'))
    (body,) = agent_settings(file, {"CREDENTIALS_DIRECTORY": "/run/credentials/agent"}).bodies
    assert body.statement.key == Path("/run/credentials/agent/key")
    assert body.statement.passphrase == Path("/run/credentials/agent/secret")
    with pytest.raises(ConfigurationError, match=r"\[body\] key .* LoadCredential=key:") as caught:
        agent_settings(file, {})
    assert caught.value.code == "credential-missing"
    for name in ("", "../key"):
        file.write_text(AGENT.replace("s.key.pem", f"credential:{name}"))
        with pytest.raises(ConfigurationError, match="names no credential"):
            agent_settings(file, {"CREDENTIALS_DIRECTORY": "/run/credentials/agent"})


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (TRACKER + "[observ]\nport = 1\n", "configuration-key-unknown", "[observ] is not known here"),
        (TRACKER.replace("ca =", "cafile ="), "configuration-key-missing", "[kafka] ca is missing: add it"),
        (TRACKER + "[observe]\nports = 1\n", "configuration-key-unknown", "[observe] ports is not known here"),
        (TRACKER + "[observe]\nport = 70000\n", "configuration-value-invalid", "[observe] port must be a whole number"),
        (TRACKER + "[observe]\nport = true\n", "configuration-value-invalid", "[observe] port must be a whole number"),
        (TRACKER.replace('"root.json"', '""'), "configuration-value-invalid", "[directory] root must be a text"),
        (TRACKER.replace('"root.json"', "3"), "configuration-value-invalid", "[directory] root must be a text"),
        ("kafka = 3\n" + DIRECTORY + STORE + POLICY, "configuration-value-invalid", "[kafka] must be a table"),
        (DIRECTORY + STORE + POLICY, "configuration-key-missing", "[kafka] is missing: add it"),
        ("[kafka\n", "configuration-unreadable", "is no TOML in UTF-8"),
    ],
)
def test_errors_name_the_place_and_the_next_step(text: str, code: str, words: str, file: Path) -> None:
    """File, table and key stand in the message, and what to do."""
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        tracker_settings(file, {})
    assert caught.value.code == code
    assert str(file) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (AGENT + BODY, "configuration-value-invalid", "names a body twice"),
        (AGENT.replace('"mfa"', '"svc-router"'), "configuration-value-invalid", "[body] code is no body code"),
        (AGENT.replace("[[body]]", "[body]"), "configuration-value-invalid", "[body] must be one or more tables"),
        (AGENT.replace(BODY, ""), "configuration-key-missing", "[body] is missing"),
        (AGENT + 'colour = "red"\n', "configuration-key-unknown", "[body] colour is not known here"),
    ],
)
def test_bodies_of_an_agent_are_checked(text: str, code: str, words: str, file: Path) -> None:
    """Each body has its own table, once, with a code that a body may have."""
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        agent_settings(file, {})
    assert caught.value.code == code
    assert words in str(caught.value)


def test_more_copies_in_sync_than_there_are_cannot_be_asked_for(file: Path) -> None:
    """The second number of [cluster] depends on the first."""
    file.write_text(OPERATOR.replace("min_insync = 2", "min_insync = 4"))
    with pytest.raises(ConfigurationError, match="min_insync must be a whole number from 1 to 3"):
        operator_settings(file, {})


def test_a_missing_file_is_told_with_the_option_that_names_it(file: Path) -> None:
    """The first thing that goes wrong for a newcomer."""
    with pytest.raises(ConfigurationError, match="cannot be read .* --config") as caught:
        router_settings(file, {})
    assert caught.value.code == "configuration-missing"


def test_where_old_letters_go(file: Path) -> None:
    """A folder beside the file, and for how many months; without the table they stay."""
    file.write_text(TRACKER)
    assert tracker_settings(file, {}).archive is None
    file.write_text(TRACKER + '[archive]\nfolder = "archive"\nkeep_months = 24\n')
    assert tracker_settings(file, {}).archive == ArchiveSettings(file.parent / "archive", 24)
    file.write_text(TRACKER + '[archive]\nfolder = "archive"\nkeep_months = 0\n')
    with pytest.raises(ConfigurationError, match="keep_months"):
        tracker_settings(file, {})
