"""An authority that knows nothing of us, made by the openssl command alone."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from exchange.security.files import PRIVATE
from exchange.security.keys import KeyFiles, KeyPair, load_key_pair
from exchange.security.purpose import STATEMENT_USAGE
from exchange.security.validity import Validity
from tests.security.support import DAY, NOW, openssl

YEARS = Validity(NOW - DAY, NOW + 2000 * DAY)

RSA = ("rsa:2048",)
ECDSA = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
"""Kinds of key as `openssl req -newkey` names them; those of RSA take longer to make."""

_KEYS = "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n"
ISSUER = f"basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n{_KEYS}"
STATEMENTS = f"""basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
extendedKeyUsage = {STATEMENT_USAGE.dotted_string}, emailProtection
{_KEYS}"""
"""What we ask an authority to put into a statement certificate."""

_CONFIGURATION = """[ca]
default_ca = this
[this]
database = {folder}/index.txt
new_certs_dir = {folder}
certificate = {folder}/issuer.crt.pem
private_key = {folder}/issuer.key.pem
rand_serial = yes
crlnumber = {folder}/crlnumber
crl_extensions = lists
default_md = sha256
policy = any
unique_subject = no
[any]
countryName = optional
organizationName = optional
commonName = supplied
[lists]
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True, slots=True)
class OpensslIssuer:
    """One issuer in a folder of its own, with what it issued and revoked."""

    folder: Path

    @property
    def certificate(self) -> x509.Certificate:
        """The issuer's own."""
        return x509.load_pem_x509_certificate((self.folder / "issuer.crt.pem").read_bytes())

    @property
    def path(self) -> Path:
        """Its PEM file."""
        return self.folder / "issuer.crt.pem"

    @classmethod
    def root(cls, folder: Path, *, key: tuple[str, ...] = RSA, validity: Validity = YEARS) -> "OpensslIssuer":
        """A root that vouches for itself."""
        issuer = cls._begin(folder, key)
        issuer._sign(folder / "issuer", ISSUER, validity, "-selfsign")
        return issuer

    def intermediate(
        self,
        folder: Path,
        *,
        key: tuple[str, ...] = RSA,
        extensions: str = "",
        digest: str = "sha256",
        validity: Validity = YEARS,
    ) -> "OpensslIssuer":
        """An issuer below this one; `extensions` are further lines of openssl's configuration."""
        issuer = self._begin(folder, key)
        self._sign(folder / "issuer", ISSUER + extensions, validity, "-md", digest)
        return issuer

    def issue(
        self,
        name: str,
        *,
        key: tuple[str, ...] = RSA,
        extensions: str = STATEMENTS,
        digest: str = "sha256",
        validity: Validity = YEARS,
    ) -> KeyPair:
        """A pair for a body; its files are `<name>.key.pem` and `<name>.crt.pem` in the issuer's folder."""
        _request(self.folder, name, key, name)
        self._sign(self.folder / name, extensions, validity, "-md", digest)
        return load_key_pair(KeyFiles(self.folder / f"{name}.key.pem", self.folder / f"{name}.crt.pem"))

    def revoke(self, name: str, *options: str) -> None:
        """Take back what was issued under that name, as of the machine's present time."""
        _run("ca", "-config", self.folder / "openssl.cnf", "-revoke", self.folder / f"{name}.crt.pem", *options)

    def revocation_list(self, this_update: datetime, next_update: datetime, digest: str = "sha256") -> bytes:
        """Its next list, PEM."""
        out = self.folder / "crl.pem"
        times = ("-crl_lastupdate", _time(this_update), "-crl_nextupdate", _time(next_update))
        _run("ca", "-config", self.folder / "openssl.cnf", "-gencrl", "-md", digest, *times, "-out", out)
        return out.read_bytes()

    @classmethod
    def _begin(cls, folder: Path, key: tuple[str, ...]) -> "OpensslIssuer":
        folder.mkdir()
        (folder / "index.txt").touch()
        (folder / "crlnumber").write_text("01\n")
        (folder / "openssl.cnf").write_text(_CONFIGURATION.format(folder=folder))
        _request(folder, "issuer", key, f"Authority {folder.name}")
        return cls(folder)

    def _sign(self, stem: Path, extensions: str, validity: Validity, *options: str) -> None:
        extended = stem.with_suffix(".ext")
        extended.write_text(extensions)
        dates = ("-startdate", _time(validity.not_before), "-enddate", _time(validity.not_after))
        request, out = f"{stem}.csr.pem", f"{stem}.crt.pem"
        common: tuple[str | Path, ...] = ("-batch", "-notext", "-preserveDN", "-extfile", extended, *dates, *options)
        _run("ca", "-config", self.folder / "openssl.cnf", "-in", request, "-out", out, *common)


def _request(folder: Path, stem: str, kind: tuple[str, ...], name: str) -> None:
    key, request = folder / f"{stem}.key.pem", folder / f"{stem}.csr.pem"
    subject = f"/C=KG/O=Another authority/CN={name}"
    _run("req", "-new", "-newkey", *kind, "-nodes", "-keyout", key, "-out", request, "-subj", subject)
    key.chmod(PRIVATE)


def _run(*arguments: str | Path) -> None:
    done = openssl(*arguments)
    if done.returncode:
        raise RuntimeError(done.stderr)


def _time(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%SZ}"
