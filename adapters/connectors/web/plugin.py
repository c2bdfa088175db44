"""The HTTP connector as profiles name it."""

import ssl
import time
from ipaddress import ip_address
from typing import Annotated

import httpx
from msgspec import Meta

from adapters.connectors.credentials import NAMED, given_file, read_private, secret
from adapters.connectors.web.client import Client, Clocks
from adapters.connectors.web.connector import HttpConnector
from adapters.connectors.web.signature import RequestSigner
from adapters.ports import ConnectorPlugin, Machine, Options, Place
from exchange.domain.errors import ConfigurationError

_FILE = "a file's path, or credential:<name> of systemd"


class HttpOptions(Options, frozen=True):
    """Where the document system is, and how it knows us: by a secret, by a client certificate, or by both."""

    push: Annotated[str, Meta(min_length=1, description="URL that packages are posted to; {body} is the body's code")]
    staging: Annotated[
        str, Meta(min_length=1, description="folder of our own, for packages that are not handed over yet")
    ]
    pull: Annotated[str, Meta(description="URL below which packages wait; empty where none are collected")] = ""
    pull_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="the document system is asked again so long after nothing waited")
    ] = 5
    secret_file: Annotated[str, Meta(description=f"what signs requests: {NAMED}")] = ""
    certificate: Annotated[str, Meta(description=f"client certificate (PEM): {_FILE}")] = ""
    key: Annotated[str, Meta(description=f"its key (PEM): {_FILE}")] = ""
    passphrase_file: Annotated[str, Meta(description=f"the key's, where it is encrypted: {NAMED}")] = ""
    ca: Annotated[str, Meta(description="root certificates (PEM) of the server; the system's where it is empty")] = ""


def tls_context(options: HttpOptions, place: Place) -> ssl.SSLContext:
    """TLS that knows whom to believe and, where options say so, who we are.

    Raises:
        ConfigurationError: `tls-files-unusable`, or a file is not where the profile says.
    """
    if bool(options.certificate) != bool(options.key):
        raise ConfigurationError("certificate and key go together: name both", code="tls-files-unusable")
    try:
        context = ssl.create_default_context(cafile=place.path(options.ca) if options.ca else None)
        if options.certificate:
            key = given_file(options.key, place)
            read_private(key)
            passphrase = secret(options.passphrase_file, place) if options.passphrase_file else ""
            context.load_cert_chain(given_file(options.certificate, place), key, passphrase)
    except OSError as error:  # ssl.SSLError is one
        message = (
            f"ca, certificate and key cannot be used ({error.strerror or error}): name PEM files that belong together"
        )
        raise ConfigurationError(message, code="tls-files-unusable") from error
    return context


def url_of(written: str, place: Place) -> httpx.URL:
    """A URL of the profile.

    Raises:
        ConfigurationError: `http-url-invalid`: no https (http is for this machine only), or with more in it.
    """
    try:
        url = httpx.URL(written.replace("{body}", place.body))
    except httpx.InvalidURL as error:
        raise _url_refused("is none") from error
    if url.scheme != "https" and not (url.scheme == "http" and _is_here(url.host)):
        raise _url_refused("is no https URL")
    if not url.host or url.userinfo or url.query or url.fragment:
        raise _url_refused("holds a user, a query or a fragment, or no host")
    return url


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _url_refused(problem: str) -> ConfigurationError:
    return ConfigurationError(f"push or pull {problem}: write https://host/path", code="http-url-invalid")


def _clocks(machine: Machine) -> Clocks:
    return Clocks(machine.now, time.monotonic, lambda: int.from_bytes(machine.random_bytes(4)) / 2**32)


def _open(options: HttpOptions, place: Place) -> HttpConnector:
    if not (options.secret_file or options.certificate):
        message = "name secret_file, or a client certificate: else anybody could push to the document system"
        raise ConfigurationError(message, code="http-unauthenticated")
    signer = RequestSigner(secret(options.secret_file, place)) if options.secret_file else None
    tls, clocks = tls_context(options, place), _clocks(place.machine)
    push = Client(url_of(options.push, place), tls, signer, clocks)
    pull = Client(url_of(options.pull, place), tls, signer, clocks) if options.pull else None
    return HttpConnector(
        place.path(options.staging), push, pull, monotonic=clocks.monotonic, pull_seconds=options.pull_seconds
    )


HTTP = ConnectorPlugin("http", HttpOptions, _open)
"""As profiles name it."""
