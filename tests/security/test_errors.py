"""A refusal's words: what was found, then what it means and what to do."""

import pytest

from exchange.domain.reason import Reason, text
from exchange.security.errors import SignatureFormError, SignatureRefused


@pytest.mark.parametrize(("details", "before"), [((), ""), (("byte 7",), "byte 7: ")], ids=["bare", "with detail"])
def test_a_refusal_reads_as_its_reason(details: tuple[str, ...], before: str) -> None:
    """The detail stands before the reason's own text, whose code is the error's."""
    error = SignatureRefused(Reason.SIGNER_UNKNOWN, *details)
    assert str(error) == before + text(Reason.SIGNER_UNKNOWN)
    assert (error.code, error.reason, error.body) == ("signer-unknown", Reason.SIGNER_UNKNOWN, None)


def test_another_form_is_a_refusal_that_blames_nobody() -> None:
    """Any stranger can send other bytes."""
    error = SignatureFormError("byte 7")
    assert str(error) == f"byte 7: {text(Reason.SIGNATURE_FORM)}"
    assert (error.code, error.body) == ("signature-form", None)
