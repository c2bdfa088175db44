"""GOST R 53898-2013: names and words of the format (docs/formats/gost53898.md)."""

from adapters.formats.tree import Names
from exchange.domain.event import Event
from exchange.domain.statement import Access, LetterKind

FORMAT = "gost53898"
VERSION = "1.0"
SCHEMA = "gost53898"
NAMES = Names("http://www.eos.ru/2010/sev", "sev", qualified_attributes=False)
LETTER_DOCUMENT = "DocInfo.xml"
RECEIPT_DOCUMENT = "Report.xml"
TIME_ZONE = "6"
"""Hours of `Header@TimeZone`: times are Kyrgyz time."""

EDITING = "Editing"
"""A later wording of a document: it adds to the one sent before, and stays what it is for a GOST recipient."""

KINDS = {"MainDoc": LetterKind.DOCUMENT, "AddToDoc": LetterKind.ADDITION, EDITING: LetterKind.ADDITION}
MESSAGE_TYPES = {
    LetterKind.DOCUMENT: "MainDoc",
    LetterKind.REPLY: "MainDoc",
    LetterKind.ADDITION: "AddToDoc",
}

ACCESS_WORDS = {Access.PUBLIC: "общий", Access.RESTRICTED: "ДСП", Access.CONFIDENTIAL: "конфиденциально"}

CONTROLLED = "UnderControl"
NOT_CONTROLLED = "NoControl"

NOTICES = {
    Event.DELIVERED: "Reception",
    Event.REJECTED: "Failure",
    Event.NOT_DELIVERED: "Failure",
    Event.HAND_OVER_FAILED: "Failure",
    Event.REFUSED: "Failure",
    Event.REGISTERED: "Registration",
    Event.EXECUTOR_ASSIGNED: "Forwarding",
    Event.PROGRESS: "Report",
    Event.REDIRECTED: "Redirection",
    Event.REPLY_SENT: "Answer",
    Event.REPLY_PREPARED: "Direction",
}
"""Elements of a notification that tell an event to the sender."""

EVENTS = {
    "Reception": Event.HANDED_OVER,
    "Failure": Event.REFUSED,
    "Registration": Event.REGISTERED,
    "Forwarding": Event.EXECUTOR_ASSIGNED,
    "Consideration": Event.EXECUTOR_ASSIGNED,
    "Report": Event.PROGRESS,
    "Redirection": Event.REDIRECTED,
    "Answer": Event.REPLY_SENT,
    "Direction": Event.REPLY_PREPARED,
    "SignInformation": Event.PROGRESS,
}
"""What the recipient's EDMS says by an element of a notification."""

SUBSCRIPTIONS = {
    "Reception": Event.DELIVERED,
    "Registration": Event.REGISTERED,
    "Forwarding": Event.EXECUTOR_ASSIGNED,
    "Consideration": Event.EXECUTOR_ASSIGNED,
    "Report": Event.PROGRESS,
    "Redirection": Event.REDIRECTED,
    "Answer": Event.REPLY_SENT,
    "Direction": Event.REPLY_PREPARED,
    "SignInformation": Event.PROGRESS,
}
"""What a sender can ask to be told of."""

MADE = frozenset(
    {"Addressee", "Author", "Document", "EDS", "Executor", "File", "Link", "Recipient", "Resource", "Task", "Writer"}
)
"""Elements whose number the card says: extras never create one."""

EXPANSION = "exchange"
"""`Expansion@Organization` of the fields that this exchange adds."""
