"""MEDO 2.6: names and words of the format (docs/formats/medo.md)."""

from adapters.formats.tree import Names
from exchange.domain.card import FileRole
from exchange.domain.event import Event
from exchange.domain.statement import Access, Urgency

FORMAT = "medo-2.6"
VERSION = "2.6"
SCHEMA = "medo-2.6"
NAMES = Names("http://www.infpres.com/IEDMS", "xdms", qualified_attributes=True)
DOCUMENT = "document.xml"
REMARKS_FILE = "remarks.txt"
"""Holds remarks that are longer than the comment may be."""

NO_NUMBER = "б/н"
"""What stands for the number of a document that has none."""

NUMBER_CHARACTERS = 31
ANNOTATION_CHARACTERS = 4000
COMMENT_CHARACTERS = 2047

LETTER_TYPE = "Документ"
NOTICE_TYPE = "Уведомление"
ACKNOWLEDGMENT_TYPE = "Квитанция"

LINK_TYPES = frozenset({"В ответ на", "Во исполнение", "Документ-основание", "На №", "Ответ", "Связан с"})
OTHER_LINK = "Связан с"

GROUPS = {
    "Текст документа": FileRole.MAIN,
    "Текст приложения": FileRole.ANNEX,
    "Данные": FileRole.DATA,
}
GROUP_OF = {role: group for group, role in GROUPS.items()}

ACCESS_WORDS = {
    Access.PUBLIC: "",
    Access.RESTRICTED: "Для служебного пользования",
    Access.CONFIDENTIAL: "Конфиденциально",
}
URGENCY_WORDS = {Urgency.ROUTINE: "", Urgency.URGENT: "Срочно", Urgency.IMMEDIATE: "Весьма срочно"}

RESPONSIBLE = "ответственный"
PARTICIPANT = "соисполнитель"
CONTROLLED = "На контроле"

NOTICES = {
    Event.REGISTERED: ("Зарегистрирован", "documentAccepted"),
    Event.REFUSED: ("Отказано в регистрации", "documentRefused"),
    Event.EXECUTOR_ASSIGNED: ("Назначен исполнитель", "executorAssigned"),
    Event.REPLY_PREPARED: ("Доклад подготовлен", "reportPrepared"),
    Event.REPLY_SENT: ("Доклад направлен", "reportSent"),
    Event.PROGRESS: ("Исполнение", "courseChanged"),
}
"""Events told by a notice (уведомление): its `@type` and element."""

EVENTS = {element: event for event, (_, element) in NOTICES.items()} | {"documentPublished": Event.PROGRESS}

ACKNOWLEDGED = {
    Event.DELIVERED: True,
    Event.REJECTED: False,
    Event.NOT_DELIVERED: False,
    Event.HAND_OVER_FAILED: False,
}
"""Events told by an acknowledgment (квитанция): what `accepted` says."""

MADE = frozenset({"addressee", "clause", "destination", "file", "link", "signatory", "signedData", "signerInfo"})
"""Elements whose number the card says: extras never create one."""

TRANSPORT_FILES = ("envelope.ini", "envelope.ltr")
"""Files of the mail transport of MEDO; they say nothing that the document does not."""
