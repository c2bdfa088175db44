"""Other encodings of a good signature: each says the same and must be refused."""

from collections.abc import Callable

from exchange.security import der
from exchange.security.cades import Signer
from exchange.security.keys import KeyPair
from tests.security.support import NOW, STATEMENT, encoded

OID_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
UNSIGNED = der.encode(
    0xA1,
    bytes.fromhex("301c06092a864886f70d010905310f170d3236313132323039303030305a"),
)


def children(content: bytes) -> list[bytes]:
    """Elements of a container's content."""
    found, at = [], 0
    while at < len(content):
        _, stop = der.open_element(content, at, content[at], len(content), "child")
        found.append(content[at:stop])
        at = stop
    return found


def content_of(element: bytes) -> bytes:
    """Content of one element."""
    return element[der.open_element(element, 0, element[0], len(element), "element")[0] :]


class Parts:
    """A signature taken apart, to be changed and put together again."""

    def __init__(self, cms: bytes) -> None:
        """Take `cms` apart."""
        _, content = children(content_of(cms))
        self.signed_data = children(content_of(content_of(content)))
        self.signer_info = children(content_of(content_of(self.signed_data[3])))
        self.attributes = children(content_of(self.signer_info[3]))

    def join(self) -> bytes:
        """The whole CMS again, in DER."""
        self.signer_info[3] = der.encode(der.CONTEXT_0, *self.attributes)
        self.signed_data[-1] = der.encode(der.SET, der.encode(der.SEQUENCE, *self.signer_info))
        signed_data = der.encode(der.SEQUENCE, *self.signed_data)
        return der.encode(der.SEQUENCE, OID_SIGNED_DATA, der.encode(der.CONTEXT_0, signed_data))


def signature_of(pair: KeyPair) -> bytes:
    """A good signature of the statement."""
    return Signer(pair.certificate, pair.key).sign(STATEMENT, NOW)


def _changed(change: Callable[[Parts, KeyPair], None]) -> Callable[[KeyPair], bytes]:
    def make(pair: KeyPair) -> bytes:
        parts = Parts(signature_of(pair))
        change(parts, pair)
        return parts.join()

    return make


def _unsigned_attribute(parts: Parts, _pair: KeyPair) -> None:
    parts.signer_info.append(UNSIGNED)


def _certificate_inside(parts: Parts, pair: KeyPair) -> None:
    parts.signed_data.insert(3, der.encode(der.CONTEXT_0, encoded(pair.certificate)))


def _swapped_attributes(parts: Parts, _pair: KeyPair) -> None:
    parts.attributes[1], parts.attributes[2] = parts.attributes[2], parts.attributes[1]


def _fewer_attributes(parts: Parts, _pair: KeyPair) -> None:
    del parts.attributes[1]


def _repeated_attribute(parts: Parts, _pair: KeyPair) -> None:
    parts.attributes.append(parts.attributes[3])


def _digest_parameters(parts: Parts, _pair: KeyPair) -> None:
    parts.signer_info[2] = der.encode(der.SEQUENCE, bytes.fromhex("06096086480165030402010500"))


def _version_3(parts: Parts, _pair: KeyPair) -> None:
    parts.signed_data[0] = bytes.fromhex("020103")


def _content_inside(parts: Parts, _pair: KeyPair) -> None:
    content = der.encode(der.CONTEXT_0, der.encode(der.OCTET_STRING, STATEMENT))
    parts.signed_data[2] = der.encode(der.SEQUENCE, content_of(parts.signed_data[2]), content)


def _no_issuer_serial(parts: Parts, _pair: KeyPair) -> None:
    oid, values = children(content_of(parts.attributes[3]))
    certificate_hash = content_of(content_of(content_of(content_of(values))))[:34]
    short = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, certificate_hash)))
    parts.attributes[3] = der.encode(der.SEQUENCE, oid, der.encode(der.SET, short))


def _long_length(pair: KeyPair) -> bytes:
    content = content_of(signature_of(pair))
    return b"\x30\x83" + len(content).to_bytes(3, "big") + content


def _indefinite_length(pair: KeyPair) -> bytes:
    return b"\x30\x80" + content_of(signature_of(pair)) + b"\0\0"


def _trailing_byte(pair: KeyPair) -> bytes:
    return signature_of(pair) + b"\0"


def _trailing_byte_inside(pair: KeyPair) -> bytes:
    return der.encode(der.SEQUENCE, content_of(signature_of(pair)), b"\x05\x00")


def _two_signer_infos(pair: KeyPair) -> bytes:
    parts = Parts(signature_of(pair))
    info = der.encode(der.SEQUENCE, *parts.signer_info)
    parts.signed_data[3] = der.encode(der.SET, info, info)
    signed_data = der.encode(der.SEQUENCE, *parts.signed_data)
    return der.encode(der.SEQUENCE, OID_SIGNED_DATA, der.encode(der.CONTEXT_0, signed_data))


OTHER_FORMS: dict[str, Callable[[KeyPair], bytes]] = {
    "unsigned attribute": _changed(_unsigned_attribute),
    "certificate inside": _changed(_certificate_inside),
    "attributes in another order": _changed(_swapped_attributes),
    "no signing time": _changed(_fewer_attributes),
    "an attribute twice": _changed(_repeated_attribute),
    "digest with parameters": _changed(_digest_parameters),
    "another version": _changed(_version_3),
    "content inside": _changed(_content_inside),
    "certificate hash alone": _changed(_no_issuer_serial),
    "two signers": _two_signer_infos,
    "length in three bytes": _long_length,
    "indefinite length": _indefinite_length,
    "trailing byte": _trailing_byte,
    "trailing element": _trailing_byte_inside,
}
