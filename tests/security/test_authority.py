"""The development authority: layout, modes, purposes, second starts."""

import ssl
import stat
import threading
from ipaddress import IPv4Address
from pathlib import Path
from socket import socketpair

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Oid
from cryptography.x509.oid import NameOID

from exchange.domain.errors import ConfigurationError
from exchange.security.authority import Authority
from exchange.security.errors import KeyRefused
from exchange.security.keys import KeyFiles, load_certificate, load_key_pair
from exchange.security.purpose import STATEMENT_USAGE, Purpose
from exchange.security.validity import Validity
from tests.patience import PATIENCE
from tests.security.support import DAY, NOW, WIDE


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A new authority in an empty folder."""
    return Authority(tmp_path / "pki", now=NOW)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def issue_all(authority: Authority) -> None:
    """One of each."""
    authority.body("mfa")
    authority.service("svc-router")
    authority.broker()
    authority.directory.found(NOW)


def test_lays_out_files_with_private_keys(authority: Authority) -> None:
    """The layout is the documented one, and every file with a key has mode 0600."""
    issue_all(authority)
    names = {
        "ca/statement.key.pem",
        "ca/statement.crt.pem",
        "ca/transport.key.pem",
        "ca/transport.crt.pem",
        "bodies/mfa/statement.key.pem",
        "bodies/mfa/statement.crt.pem",
        "bodies/mfa/transport.key.pem",
        "bodies/mfa/transport.crt.pem",
        "services/svc-router/transport.key.pem",
        "services/svc-router/transport.crt.pem",
        "services/svc-broker/transport.key.pem",
        "services/svc-broker/transport.crt.pem",
        "services/svc-broker/keystore.pem",
        "directory/root-1.key.pem",
        "directory/root-2.key.pem",
        "directory/root-3.key.pem",
        "directory/keeper-1.key.pem",
        "directory/keeper-2.key.pem",
        "directory/clock.key.pem",
        "directory/1.root.json",
    }
    files = contents(authority.folder)
    assert set(files) == names
    for name, data in files.items():
        mode = stat.S_IMODE((authority.folder / name).stat().st_mode)
        assert mode == (0o600 if b"PRIVATE KEY" in data else 0o644), name


def test_a_second_start_changes_nothing(authority: Authority) -> None:
    """Roots and certificates that are still good are used again."""
    issue_all(authority)
    before = contents(authority.folder)
    issue_all(Authority(authority.folder, now=NOW + 100 * DAY))
    assert contents(authority.folder) == before


def test_common_names_purposes_and_roots(authority: Authority) -> None:
    """The common name is the principal; statement and transport lead to different roots."""
    body = authority.body("mfa")
    cases = [
        (body.statement, authority.statement_root, Purpose.STATEMENT, "mfa"),
        (body.transport, authority.transport_root, Purpose.CLIENT, "mfa"),
        (authority.service("svc-router"), authority.transport_root, Purpose.CLIENT, "svc-router"),
    ]
    for files, root, purpose, name in cases:
        certificate = load_key_pair(files).certificate
        certificate.verify_directly_issued_by(load_certificate(root))
        (common_name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert common_name.value == name
        assert [purpose.value in usage for purpose in Purpose] == [other is purpose for other in Purpose]


def key_usage(*said: str) -> x509.KeyUsage:
    """The usages named in `said` and no others."""
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in said for name in names})


def said_by(path: Path) -> dict[type, tuple[bool, object]]:
    """What a certificate says of its use, each with whether it is critical."""
    extensions = load_certificate(path).extensions
    kinds = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)
    return {type(one.value): (one.critical, one.value) for one in extensions if isinstance(one.value, kinds)}


def test_roots_vouch_for_leaves_only(authority: Authority) -> None:
    """A root signs certificates and nothing else, and none of them may issue in turn."""
    for path in (authority.statement_root, authority.transport_root):
        assert said_by(path) == {
            x509.BasicConstraints: (True, x509.BasicConstraints(ca=True, path_length=0)),
            x509.KeyUsage: (True, key_usage("key_cert_sign", "crl_sign")),
        }


def test_leaves_sign_or_connect(authority: Authority) -> None:
    """What is kept as evidence says so; no leaf issues certificates."""
    body = authority.body("mfa")
    authority.broker()
    evidence = key_usage("digital_signature", "content_commitment")
    connection = key_usage("digital_signature")
    broker = authority.folder / "services" / "svc-broker" / "transport.crt.pem"
    mail, client, server = Oid.EMAIL_PROTECTION, Oid.CLIENT_AUTH, Oid.SERVER_AUTH
    for path, purposes, usage in (
        (body.statement.certificate, [STATEMENT_USAGE, mail], evidence),
        (body.transport.certificate, [client], connection),
        (broker, [server, client], connection),
    ):
        assert said_by(path) == {
            x509.BasicConstraints: (True, x509.BasicConstraints(ca=False, path_length=None)),
            x509.KeyUsage: (True, usage),
            x509.ExtendedKeyUsage: (False, x509.ExtendedKeyUsage(purposes)),
        }


def test_expiring_certificates_are_renewed(authority: Authority) -> None:
    """A day before the end a new certificate is made, the others stay."""
    old = load_certificate(authority.body("mfa").statement.certificate)
    later = Authority(authority.folder, now=old.not_valid_after_utc - DAY / 2)
    new = load_certificate(later.body("mfa").statement.certificate)
    assert new.not_valid_after_utc > old.not_valid_after_utc
    assert load_certificate(later.statement_root) == load_certificate(authority.statement_root)


def test_given_dates_are_kept_and_replace_others(authority: Authority) -> None:
    """Tests get expired certificates by asking for their dates."""
    past = Validity(NOW - 10 * DAY, NOW - 5 * DAY)
    files = authority.body("mfa", validity=past).statement
    expired = load_certificate(files.certificate)
    assert Validity.of(expired) == past
    assert load_certificate(authority.body("mfa", validity=past).statement.certificate) == expired
    assert Validity.of(load_certificate(authority.body("mfa").statement.certificate)).covers(NOW)


def test_given_dates_are_those_of_every_certificate(authority: Authority) -> None:
    """Whatever is issued for fixed dates holds in them and not longer."""
    dates = Validity(NOW - DAY, NOW + DAY)
    body = authority.body("mfa", validity=dates)
    issued = [body.statement.certificate, body.transport.certificate]
    issued += [authority.service("svc-router", validity=dates).certificate]
    issued += [authority.broker(validity=dates)]
    assert {Validity.of(load_certificate(path)) for path in issued} == {dates}


def test_new_roots_issue_again(tmp_path: Path) -> None:
    """When the roots have expired, what they issued is worth nothing and is made again."""
    first = Authority(tmp_path, now=NOW, validity=Validity(NOW - DAY, NOW + DAY))
    old = load_certificate(first.body("mfa").statement.certificate)
    second = Authority(tmp_path, now=NOW + 2 * DAY)
    new = load_certificate(second.body("mfa").statement.certificate)
    new.verify_directly_issued_by(load_certificate(second.statement_root))
    assert new != old


def test_a_crash_between_key_and_certificate_heals(authority: Authority) -> None:
    """A key without its certificate, or with an older one, is made again."""
    files = authority.body("mfa").statement
    other = authority.body("minjust").statement
    files.key.write_bytes(other.key.read_bytes())
    load_key_pair(authority.body("mfa").statement)
    files.certificate.unlink()
    load_key_pair(authority.body("mfa").statement)


def test_corrupt_or_exposed_roots_are_left_to_a_person(authority: Authority) -> None:
    """Replacing a root would found another exchange, so it never happens by itself."""
    key = authority.folder / "ca" / "statement.key.pem"
    key.chmod(0o644)
    with pytest.raises(KeyRefused) as caught:
        Authority(authority.folder, now=NOW)
    assert caught.value.code == "key-file-exposed"
    key.chmod(0o600)
    key.write_bytes(b"corrupt")
    with pytest.raises(KeyRefused) as caught:
        Authority(authority.folder, now=NOW)
    assert caught.value.code == "key-file-unreadable"


@pytest.mark.parametrize("code", ["", "..", "a/b", "MFA", "svc-router", "a" * 64])
def test_refuses_names_that_are_no_body_codes(authority: Authority, code: str) -> None:
    """A body can take neither a service's name nor another folder."""
    with pytest.raises(ConfigurationError) as caught:
        authority.body(code)
    assert caught.value.code == "body-code-invalid"


@pytest.mark.parametrize(
    ("name", "code"),
    [("mfa", "service-name-invalid"), ("svc-", "body-code-invalid"), ("svc-../x", "body-code-invalid")],
)
def test_refuses_names_that_are_no_services(authority: Authority, name: str, code: str) -> None:
    """A service's name starts with svc- and is as plain as a body's."""
    with pytest.raises(ConfigurationError, match="is no (service name|body code)") as caught:
        authority.service(name)
    assert caught.value.code == code


def test_broker_certificate_follows_its_hosts(authority: Authority) -> None:
    """Other hosts mean another certificate; the keystore always holds the present pair."""
    first = authority.broker().read_bytes()
    assert authority.broker().read_bytes() == first
    second = authority.broker(hosts=("kafka.example", "10.0.0.1")).read_bytes()
    assert second != first
    names = x509.load_pem_x509_certificate(second).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(names.value) == [x509.DNSName("kafka.example"), x509.IPAddress(IPv4Address("10.0.0.1"))]
    assert not names.critical


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, object]:
    """Connect both over a socket pair and return what the server knows of its client."""
    left, right = socketpair()
    left.settimeout(PATIENCE)
    right.settimeout(PATIENCE)
    failures: list[Exception] = []

    def connect() -> None:
        try:
            with client.wrap_socket(right, server_hostname="localhost") as stream:
                stream.recv(1)
        except (ssl.SSLError, OSError) as error:
            failures.append(error)
            right.close()

    thread = threading.Thread(target=connect)
    thread.start()
    try:
        with server.wrap_socket(left, server_side=True) as stream:
            peer = stream.getpeercert()
            stream.send(b"!")
    finally:
        thread.join()
    if failures:
        raise failures[0]
    assert peer is not None
    return dict(peer)


def contexts(authority: Authority, files: KeyFiles) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS of a broker that demands certificates, and of a client with `files`."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.transport_root)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(authority.broker())
    client = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authority.transport_root)
    client.load_cert_chain(files.certificate, files.key)
    for context in (server, client):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    return server, client


def test_mutual_tls_with_transport_certificates(tmp_path: Path) -> None:
    """Transport certificates connect, also under strict checking, and show the body's code."""
    authority = Authority(tmp_path, now=NOW, validity=WIDE)
    authority.broker(validity=WIDE)
    body = authority.body("mfa", validity=WIDE)
    server, client = contexts(authority, body.transport)
    server.load_cert_chain(tmp_path / "services" / "svc-broker" / "keystore.pem")
    assert handshake(server, client)["subject"] == ((("commonName", "mfa"),),)


def test_statement_certificates_open_no_connection(tmp_path: Path) -> None:
    """A statement key is refused as a TLS client."""
    authority = Authority(tmp_path, now=NOW, validity=WIDE)
    authority.broker(validity=WIDE)
    server, client = contexts(authority, authority.body("mfa", validity=WIDE).statement)
    with pytest.raises((ssl.SSLError, OSError)):
        handshake(server, client)
