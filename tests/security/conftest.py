"""Keys and certificates are made once: RSA keys take long."""

import time
from collections.abc import Iterator

import pytest

from exchange.security.keys import KeyPair
from tests.security.support import certify, certify_root, rsa_key


@pytest.fixture(scope="session")
def root() -> KeyPair:
    """The statement root."""
    return certify_root("Exchange statement root")


@pytest.fixture(scope="session")
def mfa(root: KeyPair) -> KeyPair:
    """A body's statement certificate, ECDSA."""
    return certify(root, "mfa")


@pytest.fixture(scope="session")
def minjust(root: KeyPair) -> KeyPair:
    """Another body's statement certificate, RSA."""
    return certify(root, "minjust", key=rsa_key())


@pytest.fixture(scope="session", params=["ecdsa", "rsa"])
def pair(request: pytest.FixtureRequest, mfa: KeyPair, minjust: KeyPair) -> KeyPair:
    """Each kind of key in turn."""
    return mfa if request.param == "ecdsa" else minjust


@pytest.fixture
def bishkek(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine six hours ahead of UTC."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "<+06>-6")
        time.tzset()
        yield
    time.tzset()
