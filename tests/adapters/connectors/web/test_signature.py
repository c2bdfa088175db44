"""Signatures of requests: those of the specification."""

import base64
from datetime import UTC, datetime

import pytest

from adapters.connectors.web.signature import RequestSigner
from exchange.domain.errors import ConfigurationError


def test_it_is_the_specifications_own_example() -> None:
    """The secret, message and signature that its libraries are tested with."""
    signer = RequestSigner("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, (b'{"test":', b" 2432232314}"))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "password",
        base64.b64encode(bytes(32)).decode(),
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_not base64 not base64 not base64 ",
        "whsec_ключ",
    ],
)
def test_weak_secrets_are_refused(secret: str) -> None:
    """Too short, of another form; the message does not repeat it."""
    with pytest.raises(ConfigurationError) as caught:
        RequestSigner(secret)
    assert caught.value.code == "secret-unusable"
    assert "password" not in str(caught.value)
