"""DHX capsule 2.1: names and words of the format (docs/formats/dhx.md)."""

from adapters.formats.tree import Names
from exchange.domain.event import Event
from exchange.domain.reason import Reason
from exchange.domain.statement import Access

FORMAT = "dhx-2.1"
SCHEMA = "dhx-capsule"
NAMES = Names("http://www.riik.ee/schemas/deccontainer/vers_2_1/", "dec", qualified_attributes=False)
LETTER_DOCUMENT = "capsule.xml"

CALL_DOCUMENT = "sendDocument.xml"
"""Beside a capsule: the envelope of the call that brought it, which names the consignment."""

OWN_SCHEMA = "dhx-exchange"
OWN_NAMES = Names("urn:exchange:dhx", "x", qualified_attributes=False)
"""Of what this exchange adds: no other system is known to write or read it."""

RECEIPT_DOCUMENT = "receipt.xml"

ADDITIONS = "RecordTypeSpecificMetadata"
"""Element of a capsule that holds whatever else a system has to say; also the path of the extras for it."""

TEXT_FILE = "letter.txt"
"""The file of a letter that has none: a capsule cannot be without."""

MAX_PAGES = 1_000_000
"""Of a file; more is nobody's count."""

PUBLIC = "Avalik"
RESTRICTED = "AK"
ACCESS_CODES = {Access.PUBLIC: PUBLIC, Access.RESTRICTED: RESTRICTED, Access.CONFIDENTIAL: RESTRICTED}

REPLY_LINK = "В ответ на"
BASIS_LINK = "Документ-основание"

MADE = frozenset({"DecRecipient", "File", "Recipient", "SignatureMetadata"})
"""Elements whose number the card says: extras never create one."""

NEEDED = {
    "AccessRestriction": ("RestrictionBasis", "InformationOwner"),
    "DecMetadata": ("DecFolder",),
    "Initiator": ("ContactData",),
    "Organisation": ("Name",),
    "Person": ("Name",),
}
"""Children that an element must have and that may be empty: then no extra tells of them."""

SENDING_STATUS = {
    Event.ACCEPTED: "101",
    Event.REJECTED: "103",
    Event.RELAY_FAILED: "103",
    Event.DELIVERED: "102",
    Event.NOT_DELIVERED: "103",
    Event.HANDED_OVER: "102",
    Event.HAND_OVER_FAILED: "103",
    Event.REGISTERED: "102",
    Event.REFUSED: "102",
    Event.EXECUTOR_ASSIGNED: "102",
    Event.PROGRESS: "102",
}
RECIPIENT_STATUS = {
    Event.HANDED_OVER: "9",
    Event.REGISTERED: "8",
    Event.REFUSED: "5",
    Event.EXECUTOR_ASSIGNED: "7",
    Event.PROGRESS: "7",
}
"""Statuses of DVK, the exchange that DHX came from; events without one have no word there."""

EVENT_OF_RECIPIENT = {"9": Event.HANDED_OVER, "8": Event.REGISTERED, "5": Event.REFUSED, "7": Event.PROGRESS}
EVENT_OF_SENDING = {"102": Event.HANDED_OVER, "103": Event.HAND_OVER_FAILED}

UNSUPPORTED_VERSION = "DHX.UnsupportedVersion"
DUPLICATE = "DHX.Duplicate"
VALIDATION = "DHX.Validation"
INVALID_ADDRESSEE = "DHX.InvalidAddressee"
SIZE_LIMIT_EXCEEDED = "DHX.SizeLimitExceeded"
TECHNICAL = "Server"
"""Code of the SOAP fault for what is nobody's mistake in a letter."""

FAULTS = {
    Reason.SCHEMA_UNKNOWN: UNSUPPORTED_VERSION,
    Reason.REPEAT: DUPLICATE,
    Reason.RECIPIENT_MISSING: INVALID_ADDRESSEE,
    Reason.RECIPIENT_UNKNOWN: INVALID_ADDRESSEE,
    Reason.RECIPIENT_NOT_CONNECTED: INVALID_ADDRESSEE,
    Reason.RECIPIENT_FORBIDDEN: INVALID_ADDRESSEE,
    Reason.OVERSIZED: SIZE_LIMIT_EXCEEDED,
    Reason.CONTENT_TOO_LARGE: SIZE_LIMIT_EXCEEDED,
    Reason.FAN_OUT_TOO_LARGE: SIZE_LIMIT_EXCEEDED,
}
"""Faults of DHX for the exchange's reasons; `DHX.Validation` for all others."""
