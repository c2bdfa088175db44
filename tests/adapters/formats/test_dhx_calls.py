"""DHX's sendDocument: calls and answers, read and written, and what is none."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.formats.dhx import DhxFormat
from adapters.formats.dhx.multipart import PARTS, Part, join, named, split
from adapters.formats.dhx.send_document import (
    REQUEST_BYTES,
    Answer,
    SendDocument,
    fault_of,
    package_of,
    read_answer,
    read_request,
    write_answer,
    write_request,
)
from adapters.formats.dhx.soap import Headers, Subsystem
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError
from tests.adapters.support import DIRECTORY, SAMPLES, letter_of
from tests.strategies import mutations

CAPSULE = (SAMPLES / "capsule_2.1.xml").read_bytes()
CLIENT = Subsystem("central-server", "GOV", "70000001", "DHX")
HEADERS = Headers("7a1f", CLIENT, replace(CLIENT, member="70000002", subsystem="DHX.law"), "sendDocument", "v1")
CALL = SendDocument(HEADERS, "К-1/2022", CAPSULE, "70000003", "archive")
TYPE, BODY = write_request(CALL)

# As other systems write: LF, namespaces on every element, no cid:, parameters that nobody knows.
FOREIGN_TYPE = 'Multipart/Related; boundary="=_b 1"; type="text/xml"'
FOREIGN = b"""preamble
--=_b 1
Content-Type: text/xml; charset=UTF-8

<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header>
<client xmlns="http://x-road.eu/xsd/xroad.xsd" xmlns:i="http://x-road.eu/xsd/identifiers"><i:xRoadInstance>kg
</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>1</i:memberCode></client>
<service xmlns="http://x-road.eu/xsd/xroad.xsd" xmlns:i="http://x-road.eu/xsd/identifiers"><i:xRoadInstance>kg
</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>2</i:memberCode></service></S:Header>
<S:Body><p:sendDocument xmlns:p="http://dhx.x-road.eu/producer"><p:DHXVersion>1.0.2</p:DHXVersion>
<p:consignmentId>fae1
</p:consignmentId><p:documentAttachment>c48e@
</p:documentAttachment><p:documentAttachment>other</p:documentAttachment><p:priority>high</p:priority>
</p:sendDocument></S:Body></S:Envelope>
--=_b 1
Content-Type: text/xml; charset=UTF-8
Content-ID: c48e@
Content-Transfer-Encoding: Base64

PGE+
PC9hPg==
--=_b 1--
epilogue"""


def refused(content_type: str = TYPE, body: bytes = BODY) -> DocumentError:
    """How a call is refused: its message says where."""
    with pytest.raises(DocumentError) as caught:
        read_request(content_type, body)
    assert caught.value.place
    return caught.value


def test_a_call_returns_as_it_was() -> None:
    """Written, read, written again: the same bytes."""
    assert read_request(TYPE, BODY) == CALL
    assert write_request(read_request(TYPE, BODY)) == (TYPE, BODY)
    assert b"Content-Transfer-Encoding: base64\r\nContent-ID: <capsule.xml>" in BODY
    assert max(map(len, BODY.split(b"\n"))) < 998


def test_calls_of_other_systems_are_understood() -> None:
    """What DHX allows: other line ends, an id without cid:, parameters of their own."""
    call = read_request(FOREIGN_TYPE, FOREIGN)
    assert (call.consignment_id, call.capsule, call.version) == ("fae1", b"<a></a>", "1.0.2")
    assert (str(call.headers.client), call.recipient) == ("kg/GOV/1/", "")


def test_attempts_of_one_consignment_have_one_key() -> None:
    """The id of the message differs, the client's and the consignment's do not."""
    again = replace(CALL, headers=replace(HEADERS, id="another"))
    assert (again.key, package_of(again).name) == (CALL.key, package_of(CALL).name)
    assert CALL.key == "central-server/GOV/70000001/DHX/К-1/2022"
    other = replace(CALL, headers=replace(HEADERS, client=replace(CLIENT, member="70000009")))
    assert CALL.key not in {other.key, replace(CALL, consignment_id="К-2").key}


def test_the_consignment_reaches_the_letter() -> None:
    """The call's id is that of the message: receipts name it."""
    draft = letter_of(DhxFormat().parse(package_of(CALL), DIRECTORY))
    assert (draft.message_id, draft.consignment_id) == ("К-1/2022",) * 2
    assert draft.card.document_id == "bbbbbbbb-2222-4333-8444-555555555555"
    broken = Package("x", {**package_of(CALL).files, "sendDocument.xml": b"<a/>"})
    with pytest.raises(DocumentError, match=r"sendDocument\.xml"):
        DhxFormat().parse(broken, DIRECTORY)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (b">1.0<", b">2.0<", "DHX.UnsupportedVersion"),
        (b"DHXVersion", b"Version", "DHX.UnsupportedVersion"),
        ("К-1/2022".encode(), b"", "DHX.Validation"),
        ("К-1/2022".encode(), b"1" * 256, "DHX.Validation"),
        (b"cid:capsule.xml", b"cid:other.xml", "DHX.Validation"),
        (b">70000001<", b"><", "DHX.Validation"),
        (b">70000001<", b">7/1<", "DHX.Validation"),
        (b"xro:client", b"xro:customer", "DHX.Validation"),
        (b"dhx.x-road.eu/producer", b"dhx.x-road.eu/consumer", "DHX.Validation"),
        (b"schemas.xmlsoap.org", b"www.example", "DHX.Validation"),
        (b"<prod:sendDocument>", b"<prod:a/><prod:sendDocument>", "DHX.Validation"),
        (b"<soap:Envelope", b"<!DOCTYPE a><soap:Envelope", "DHX.Validation"),
        (b": base64", b": uuencode", "DHX.Validation"),
        (b"\r\n\r\nPD94", b"\r\n\r\n!D94", "DHX.Validation"),
        (b"Content-ID: <capsule.xml>\r\n\r\n", b"", "DHX.Validation"),
        (b"--\r\n", b"\r\n", "DHX.Validation"),
    ],
)
def test_what_is_no_call_is_a_fault(before: bytes, after: bytes, fault: str) -> None:
    """Each in the code that DHX has for it."""
    assert before in BODY
    assert fault_of(refused(body=BODY.replace(before, after))).fault_code == fault


@pytest.mark.parametrize("content_type", ["", "text/xml", "multipart/related", 'multipart/related; boundary="я"'])
def test_what_is_no_multipart_is_refused(content_type: str) -> None:
    """Another type, no boundary, one that cannot be."""
    assert refused(content_type).code == "document-malformed"


def test_large_calls_are_refused_unread() -> None:
    """And so are those of many parts, of which DHX needs two; empty lines cost no memory."""
    assert fault_of(refused(body=bytes(REQUEST_BYTES + 1))).fault_code == "DHX.SizeLimitExceeded"
    many = join([Part(f"{number}", "text/xml", b"x") for number in range(PARTS + 1)])
    assert refused(*many).code == "document-malformed"
    assert refused(body=b"\r\n" * (REQUEST_BYTES // 2)).code == "document-malformed"


@given(mutations(BODY[:2000] + BODY[-200:]) | mutations(FOREIGN))
@settings(max_examples=100)
def test_any_body_is_a_call_or_an_error(body: bytes) -> None:
    """Mutilated calls raise nothing but `DocumentError`."""
    for content_type in (TYPE, FOREIGN_TYPE):
        try:
            read_request(content_type, body)
        except DocumentError as error:
            assert fault_of(error).fault_code


@given(st.text(max_size=40) | mutations(FOREIGN_TYPE.encode()).map(lambda data: data.decode("latin-1")))
@settings(max_examples=100)
def test_any_content_type_is_one_or_an_error(content_type: str) -> None:
    """Whatever the caller says of its body."""
    try:
        read_request(content_type, FOREIGN)
    except DocumentError as error:
        assert error.place


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_parts_return_as_they_were(contents: list[bytes]) -> None:
    """Any bytes but the root, which is XML, and delimiters within them are none."""
    parts = [Part("root", "text/xml", b"<a/>"), *(Part(f"p{i}", "x/y", data) for i, data in enumerate(contents))]
    content_type, body = join(parts)
    assert list(split(content_type, body, "here")) == parts
    assert named(parts, "cid:p0") == parts[1]
    assert named(parts, "") is None


def test_the_root_is_the_part_that_start_names() -> None:
    """It need not come first."""
    content_type, body = join([Part("a", "text/xml", b"<a/>"), Part("b", "text/xml", b"<b/>")])
    parts = split(content_type.replace('start="<a>"', 'start="<b>"'), body, "here")
    assert [part.content_id for part in parts] == ["b", "a"]


@pytest.mark.parametrize("answer", [Answer("R-1"), Answer("", "DHX.Duplicate", "seen before")])
def test_answers_return_as_they_were(answer: Answer) -> None:
    """A receipt or a fault, with the headers of the call."""
    body = write_answer(CALL, answer)
    assert read_answer(body) == answer
    assert b"<xro:id>7a1f</xro:id>" in body


def test_technical_faults_are_answers_too() -> None:
    """SOAP's own fault says that it was nobody's mistake in the letter."""
    envelope = '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>{}</S:Body></S:Envelope>'
    fault = "<S:Fault><faultcode>Server.Proxy</faultcode><faultstring>no route</faultstring></S:Fault>"
    assert read_answer(envelope.format(fault).encode()) == Answer("", "Server.Proxy", "no route")
    for nothing in ("<a/>", "", "<receiptId/>"):
        with pytest.raises(DocumentError, match="answer"):
            read_answer(envelope.format(nothing).encode())


def test_an_attachment_may_come_as_it_is() -> None:
    """8bit and binary need no decoding."""
    plain = BODY.replace(base64.encodebytes(CAPSULE).rstrip().replace(b"\n", b"\r\n"), CAPSULE)
    plain = plain.replace(b": base64", b": binary")
    assert read_request(TYPE, plain).capsule == CAPSULE
