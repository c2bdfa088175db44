"""A time-stamping authority for trying out: `openssl ts -reply` behind HTTP on this machine, with keys of its own.

    <folder>/root.crt.pem               its root: what [timestamps] names as `roots`
    <folder>/authority.{key,crt}.pem    its key and certificate, for time-stamps only
    <folder>/openssl.cnf, serial        what openssl goes by

Whoever has the folder can stamp with any time, so what it says proves nothing to anybody else.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exchange.domain.errors import EmbeddedError
from exchange.embedded.ports import HOST
from exchange.security.certificates import certify_root
from exchange.security.files import PRIVATE, write_atomically
from exchange.security.keys import KeyPair
from exchange.security.validity import Validity, seconds

ROOT = "root.crt.pem"
"""Its root's file, in its folder."""
QUERY_BYTES = 4096
QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"
_OPENSSL_SECONDS = 60
_LIFETIME = timedelta(days=3650)
_BACKDATING = timedelta(hours=1)
_CONFIGURATION = """[tsa]
default_tsa = trial
[trial]
serial = {folder}/serial
signer_cert = {folder}/authority.crt.pem
signer_key = {folder}/authority.key.pem
certs = {folder}/root.crt.pem
signer_digest = sha256
default_policy = 2.25.107290019016386115960636239826129751690.3
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class TimeAuthorityFailedError(EmbeddedError):
    """openssl is not there, or gave no answer."""

    code = "embedded-time-authority-failed"


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """One authority, in a folder; see `prepared`."""

    folder: Path
    openssl: str

    @classmethod
    def prepared(cls, folder: Path, now: datetime, *, lifetime: timedelta = _LIFETIME) -> "TimeAuthority":
        """The authority in `folder`; its keys are made when there are none.

        Args:
            folder: its own.
            now: present time (UTC).
            lifetime: of certificates that have to be made.

        Raises:
            TimeAuthorityFailedError: `embedded-time-authority-failed`: there is no openssl on this machine.
        """
        openssl = shutil.which("openssl")
        if openssl is None:
            message = "no openssl on this machine: install it, or go on without time-stamps"
            raise TimeAuthorityFailedError(message)
        folder = folder.absolute()
        if not (folder / "authority.crt.pem").exists():
            _make(folder, Validity(seconds(now - _BACKDATING), seconds(now + lifetime)))
        return cls(folder, openssl)

    @property
    def root(self) -> Path:
        """PEM file of the root that vouches for it."""
        return self.folder / ROOT

    def reply(self, query: bytes) -> bytes:
        """Answer a request; one that makes no sense gets a refusal. One call at a time: openssl counts in a file.

        Raises:
            TimeAuthorityFailedError: `embedded-time-authority-failed`.
        """
        with TemporaryDirectory() as own:
            asked, answer = Path(own, "query"), Path(own, "reply")
            asked.write_bytes(query)
            words = ["ts", "-reply", "-config", self.folder / "openssl.cnf", "-queryfile", asked, "-out", answer]
            try:
                done = subprocess.run(
                    [self.openssl, *map(str, words)],
                    capture_output=True,
                    text=True,
                    errors="replace",
                    check=False,
                    timeout=_OPENSSL_SECONDS,
                )
            except subprocess.TimeoutExpired as error:
                message = f"openssl took longer than {_OPENSSL_SECONDS} s: try again"
                raise TimeAuthorityFailedError(message) from error
            if not answer.exists():
                message = f"openssl gave no answer ({done.stderr.strip()[-300:]}): remove {self.folder} and try again"
                raise TimeAuthorityFailedError(message)
            return answer.read_bytes()


@contextmanager
def serving(authority: TimeAuthority, port: int = 0) -> Iterator[str]:
    """Answer requests over HTTP on this machine while the context lasts; yields the address.

    Args:
        authority: who stamps.
        port: 0 takes any free one.

    Raises:
        TimeAuthorityFailedError: `embedded-time-authority-failed`: the port is taken.
    """
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """Answers POST with a time-stamp."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Stamp."""
            length = self.headers.get("Content-Length", "")
            size = int(length) if length.isascii() and length.isdigit() and len(length) < 8 else QUERY_BYTES + 1
            if self.headers.get("Content-Type") != QUERY_TYPE or size > QUERY_BYTES:
                self.close_connection = True
                self.send_error(HTTPStatus.BAD_REQUEST)
                return
            with one_at_a_time:
                reply = authority.reply(self.rfile.read(size))
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", REPLY_TYPE)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            """Say nothing."""

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        message = f"port {port} cannot be listened on ({error.strerror}): choose another"
        raise TimeAuthorityFailedError(message) from error
    thread = threading.Thread(target=server.serve_forever, name="time-authority", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _make(folder: Path, validity: Validity) -> None:
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = certify_root(root_key, "Time-stamps for trying out, root", validity)
    certificate = _certify(key, KeyPair(root_key, root), validity)
    pkcs8, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "openssl.cnf", _CONFIGURATION.format(folder=folder).encode())
    write_atomically(folder / "serial", b"01\n")
    write_atomically(folder / ROOT, root.public_bytes(pem))
    write_atomically(folder / "authority.key.pem", key.private_bytes(pem, pkcs8, clear), mode=PRIVATE)
    write_atomically(folder / "authority.crt.pem", certificate.public_bytes(pem))


def _certify(key: ec.EllipticCurvePrivateKey, root: KeyPair, validity: Validity) -> x509.Certificate:
    """A certificate for time-stamps only (RFC 3161, 2.3)."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time-stamps for trying out")]))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(root.key, hashes.SHA256())
    )
