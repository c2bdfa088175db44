"""Statements signed in other forms: by the right key, over the right bytes, and still not what counts."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from exchange_verify.cms import verify_statement
from exchange_verify.errors import Refused

from exchange.security.cades import signing
from exchange.security.form import Template, embed_certificates
from exchange.security.keys import PrivateKey
from exchange.services.evidence.container import asic_s
from tests.security.support import certify, encoded, rsa_key
from tests.verify.making import Course, inner
from tests.world import NOW

LETTER, SIGNATURE = "statements/0001-letter.asics", "META-INF/signature.p7s"
VERSION = b"\2\1\1"


def another(course: Course) -> bytes:
    """The sender signed the letter twice."""
    signer = course.world.signers["alpha"]
    signed = signer.sign(course.letter.statement, NOW + timedelta(hours=1))
    return embed_certificates(signed, [encoded(signer.certificate)])


BESIDE: Mapping[str, tuple[Callable[[Course, bytes], bytes], str]] = {
    "a second signature": (lambda course, _: another(course), "it is not the one that was decided about"),
    "another version": (lambda _, own: own.replace(VERSION, b"\2\1\3", 1), "it is not the one that was decided about"),
    "a length in too many bytes": (lambda _, own: own.replace(b"\x30\x82", b"\x30\x83\0", 1), "it is no DER"),
}


@pytest.mark.parametrize("what", BESIDE)
def test_another_signature_than_the_exchange_had(course: Course, what: str) -> None:
    """The entry has the one of which it was decided."""
    alter, said = BESIDE[what]
    files = course.files()
    statement, signature = (inner(files, LETTER, name) for name in ("statement", SIGNATURE))
    other = alter(course, signature)
    assert other != signature
    found = course.look({**files, LETTER: asic_s(statement, other)})
    assert (found.step, f"{LETTER}, {SIGNATURE}: {said}" in found.refused) == (4, True), found


def test_another_form_of_the_right_signature(course: Course) -> None:
    """An exchange that took it has it in the entry, too."""
    statement, entry = course.letter.statement, course.letter.signature
    cms = embed_certificates(entry, [encoded(course.world.signers["alpha"].certificate)])
    odd = [each.replace(VERSION, b"\2\1\3", 1) for each in (cms, entry)]
    with pytest.raises(Refused, match="it is in another form than that of a signature by a certificate"):
        verify_statement(odd[0], statement, odd[1])


def taken(key: PrivateKey, time: bytes = b"260301090000Z", more: bytes = b"") -> None:
    """Verify what somebody signed with this key, who wrote that time into it, and signed more than that."""
    certificate, statement, usual = certify(None, "alpha", key=key).certificate, b"said", b"260301090000Z"
    template = Template(certificate, key.public_key())
    value = signing(key)(template.signed_bytes(time, sha256(statement).digest()) + more)
    entry = template.render(usual, sha256(statement).digest(), value)
    cms = embed_certificates(entry, [encoded(certificate)])
    verify_statement(cms.replace(usual, time), statement, entry.replace(usual, time))


@pytest.mark.parametrize("make", [rsa_key, lambda: ec.generate_private_key(ec.SECP256R1())])
def test_a_signature_of_something_else(make: Callable[[], PrivateKey]) -> None:
    """An exchange that took it anyway has it in the entry, too."""
    taken(key := make())
    with pytest.raises(InvalidSignature):
        taken(key, more=b"and more")


def test_a_signing_time_that_is_none() -> None:
    """The signature holds; other readers may not read it at all."""
    with pytest.raises(Refused, match="its signing time is not YYMMDDHHMMSSZ"):
        taken(ec.generate_private_key(ec.SECP256R1()), b"260301090000+")


@pytest.mark.parametrize("make", [lambda: ec.generate_private_key(ec.SECP224R1()), lambda: rsa_key(1024)])
def test_weak_keys(make: Callable[[], PrivateKey]) -> None:
    """The signature holds; anybody with enough machines could have made it."""
    with pytest.raises(Refused, match="its key is too weak"):
        taken(make())
