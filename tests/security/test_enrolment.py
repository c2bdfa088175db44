"""Requests and answers as files: one encoding, and one error for any other bytes."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.directory import Body, BodyStatus, CertificateUse, Contact, Names
from exchange.domain.errors import ConfigurationError
from exchange.security.directory.canonical_json import canonical
from exchange.security.enrolment import (
    Answer,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    entry_of,
    make_request,
    uses_of,
)
from exchange.security.errors import EnrolmentRefused
from exchange.security.keys import KeyPair, PrivateKey
from exchange.security.purpose import PURPOSES
from tests.security.support import NOW, certify, rsa_key

EXCHANGE = bytes(range(32))
BODY = Body(
    "ak-bulun",
    Names("Ак-Булуң айыл өкмөтү", "Ак-Булунский айыл окмоту", "Ak-Bulun"),
    "ayil-okmotu",
    BodyStatus.REQUESTED,
    uids=("ORG-1",),
    soate="41702205805000",
    inbound_origin=bytes(16),
    parent="ak-suu",
    contacts=(Contact("IT", "А. Б.", "it@ak-bulun.example", ""),),
    formats=("gost53898",),
)
KEYS: dict[CertificateUse, PrivateKey] = {use: ec.generate_private_key(ec.SECP256R1()) for use in CertificateUse}
REQUEST = make_request(BODY, EXCHANGE, KEYS, NOW)
FILE = encode_request(REQUEST)

Change = Callable[[dict[str, Any]], object]


def altered(change: Change) -> bytes:
    """The request's file with a member changed."""
    document = json.loads(FILE)
    change(document)
    return canonical(document)


def test_a_request_comes_back_as_it_was_made() -> None:
    """With a signature that holds, by ECDSA or RSA."""
    assert decode_request(FILE) == REQUEST
    assert REQUEST.is_signed()
    by_rsa = make_request(BODY, EXCHANGE, {**KEYS, CertificateUse.STATEMENT: rsa_key()}, NOW)
    assert decode_request(encode_request(by_rsa)).is_signed()


def test_what_is_signed_is_no_statement() -> None:
    """Statements begin with 0x00, signed attributes of CMS with 0x31 (rule 1.4)."""
    assert FILE.startswith(b"{")


def test_an_entry_that_was_listed_is_requested_anew() -> None:
    """Status and certificates are the exchange's to say."""
    connected = replace(BODY, status=BodyStatus.CONNECTED)
    assert make_request(connected, EXCHANGE, KEYS, NOW).body == BODY


def test_a_body_with_a_gateway_connects_nowhere() -> None:
    """So it has no transport key."""
    carried = replace(BODY, gateway="ak-suu")
    assert uses_of(carried) == (CertificateUse.STATEMENT, CertificateUse.ENCRYPTION)
    request = make_request(carried, EXCHANGE, KEYS, NOW)
    assert decode_request(encode_request(request)) == request


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(made="2026-11-22T09:00:00.000001Z"),
        lambda document: document.update(exchange=bytes(32).hex()),
        lambda document: document["body"].update(kind="ministry"),
        lambda document: document["csrs"].update(transport=document["csrs"]["encryption"]),
        lambda document: document.update(signature=base64.b64encode(b"another").decode()),
    ],
)
def test_what_was_altered_is_not_signed(change: Change) -> None:
    """Each field is under the signature."""
    assert not decode_request(altered(change)).is_signed()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda document: document.pop("made"), "made"),
        (lambda document: document.update(format=2), "format"),
        (lambda document: document.update(exchange="ff"), "exchange"),
        (lambda document: document.update(more=1), "canonical"),
        (lambda document: document["body"].update(status="connected"), "body"),
        (lambda document: document["body"].update(soate="4170"), "soate"),
        (lambda document: document["csrs"].pop("encryption"), "csrs"),
        (lambda document: document["csrs"].update(fun=""), "csrs.fun"),
        (lambda document: document["csrs"].update(transport="AAAA"), "csrs.transport"),
        (lambda document: document.update(signature="?"), "signature"),
    ],
)
def test_what_is_no_request(change: Change, named: str) -> None:
    """The message names the field."""
    with pytest.raises(EnrolmentRefused, match=named) as refused:
        decode_request(altered(change))
    assert refused.value.code == "enrolment-unreadable"


@pytest.mark.parametrize("code", ["svc-router", "", "Ак-Булуң", "a/b"])
def test_codes_that_no_body_may_have(code: str) -> None:
    """A service's name least of all."""
    with pytest.raises(ConfigurationError) as refused:
        decode_request(altered(lambda document: document["body"].update(code=code)))
    assert refused.value.code == "body-code-invalid"


@given(st.binary(max_size=64) | st.integers(0, len(FILE)).map(lambda at: FILE[:at]))
def test_any_other_bytes_are_refused(document: bytes) -> None:
    """With the one error, whatever they are; of request and answer alike."""
    if document != FILE:
        with pytest.raises(EnrolmentRefused):
            decode_request(document)
    with pytest.raises(EnrolmentRefused):
        decode_answer(document)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=8,
)


@given(value=JSON_VALUES, data=st.data())
def test_any_value_in_any_place_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    """Whatever stands in a member, the answer is a request of these bytes or an error of configuration."""
    document = json.loads(FILE)
    place = data.draw(st.sampled_from([document, document["body"], document["csrs"], document["body"]["names"]]))
    place[data.draw(st.sampled_from([*sorted(place), "more"]))] = value
    changed = (json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode(errors="surrogatepass")
    try:
        assert encode_request(decode_request(changed)) == changed
    except ConfigurationError as error:
        assert error.code in {"enrolment-unreadable", "body-code-invalid"}


@pytest.mark.parametrize("value", ['"\\ud800"', "[" * 700 + "]" * 700], ids=["lone surrogate", "deep"])
def test_what_json_can_say_and_no_entry(value: str) -> None:
    """Lone surrogates, and lists in lists without end."""
    with pytest.raises(EnrolmentRefused):
        decode_request(FILE.replace(b'"body": {', f'"body": {{"more": {value},'.encode()))


def test_an_answer_comes_back_as_it_was_made(root: KeyPair) -> None:
    """And makes the entry, whose certificates stand in the order of their uses."""
    certificates = {
        use: certify(root, BODY.code, purpose=PURPOSES[use], key=KEYS[use]).certificate
        for use in reversed(CertificateUse)
    }
    answer = Answer(EXCHANGE, BODY.code, certificates)
    assert decode_answer(encode_answer(answer)) == answer
    entry = entry_of(REQUEST, certificates)
    assert [listed.use for listed in entry.certificates] == list(CertificateUse)
    assert replace(entry, certificates=()) == BODY
    with pytest.raises(EnrolmentRefused, match="certificates.fun"):
        decode_answer(encode_answer(answer).replace(b'"transport"', b'"fun"'))
    with pytest.raises(EnrolmentRefused, match="certificates.statement"):
        decode_answer(canonical({**json.loads(encode_answer(answer)), "certificates": {"statement": "AAAA"}}))
