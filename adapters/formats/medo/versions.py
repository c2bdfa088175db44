"""The versions of MEDO, and what sets them apart.

Up to 2.6 the message is the document. Since 2.7 it names an archive, the transport container, with a
passport; notices and acknowledgments stayed as they were. 2.7.1 has other namespaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lxml.etree import _Element as Element

from adapters.formats.tree import Names
from exchange.wire.xml import Schema, schema


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Attributes:
        number: `communication/@version`.
        names: of messages.
        passport: names of the passport in the transport container; None where the message is the document.
        linked: whether it has what came with 2.6: uids of addressees, numbers of a document's files, their group
            `Данные`, signed data, a notice's `@mid`, publication.
    """

    number: str
    names: Names
    passport: Names | None
    linked: bool

    @property
    def format(self) -> str:
        """Name of the format."""
        return f"medo-{self.number}"

    @property
    def schema(self) -> Schema:
        """Rules for messages: the same for all versions, but for the namespace."""
        return schema("medo", self.names.namespace)

    @property
    def kin(self) -> tuple[str, ...]:
        """Formats whose letters have their extras where this one has them."""
        return tuple(other.format for other in VERSIONS.values() if (other.passport is None) is (self.passport is None))


_MESSAGE = Names("http://www.infpres.com/IEDMS", "xdms", qualified_attributes=True)
_MESSAGE_2_7_1 = Names("urn:IEDMS:MESSAGE", "c", qualified_attributes=True)
PASSPORTS = (
    Names("http://minsvyaz.ru/container", "c", qualified_attributes=True),
    Names("urn:IEDMS:CONTAINER", "c", qualified_attributes=True),
)
"""Names of passports, of 2.7 and of 2.7.1."""

MEDO_2_2 = Version("2.2", _MESSAGE, None, linked=False)
MEDO_2_6 = Version("2.6", _MESSAGE, None, linked=True)
MEDO_2_7 = Version("2.7", _MESSAGE, PASSPORTS[0], linked=True)
MEDO_2_7_1 = Version("2.7.1", _MESSAGE_2_7_1, PASSPORTS[1], linked=True)

VERSIONS: Mapping[str, Version] = MappingProxyType(
    {version.format: version for version in (MEDO_2_2, MEDO_2_6, MEDO_2_7, MEDO_2_7_1)}
)
"""All that are read and written, by format name."""


def passport_schema(names: Names) -> Schema:
    """Rules for passports, with these names."""
    return schema("medo-container", names.namespace)


def version_of(root: Element) -> Version | None:
    """The version that a message is of, None when it is no message of MEDO.

    2.3 to 2.5 count as 2.2, whose fields they have; what says nothing is taken for 2.6, the widest of its kind.
    """
    if root.tag == _MESSAGE_2_7_1.tag("communication"):
        return MEDO_2_7_1
    if root.tag != _MESSAGE.tag("communication"):
        return None
    number = root.get(_MESSAGE.key("version"), "").strip()
    if root.find(_MESSAGE.tag("container")) is not None or number.startswith("2.7"):
        return MEDO_2_7
    return MEDO_2_2 if number in {"2.2", "2.3", "2.4", "2.5"} else MEDO_2_6
