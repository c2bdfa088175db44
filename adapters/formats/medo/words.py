"""MEDO: words of the format (docs/formats/medo.md). What differs by version stands in `versions`."""

from exchange.domain.card import FileRole
from exchange.domain.event import Event
from exchange.domain.statement import Access, Urgency

DOCUMENT = "document.xml"
CONTAINER = "document.edc.zip"
"""The transport container; its name is ours to choose."""

PASSPORT = "passport.xml"
PASSPORT_VERSION = "1.0"
REMARKS_FILE = "remarks.txt"
"""Holds remarks that are longer than the comment may be."""

NO_NUMBER = "б/н"
"""What stands for the number of a document that has none."""

NUMBER_CHARACTERS = 31
PASSPORT_NUMBER_CHARACTERS = 255
ANNOTATION_CHARACTERS = 4000
COMMENT_CHARACTERS = 2047

LETTER_TYPE = "Документ"
CONTAINER_TYPE = "Транспортный контейнер"
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
"""Before 2.6 there was no `Данные`: data were attachments."""

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

PUBLISHED = ("Опубликование", "documentPublished")
"""The notice of publication, progress too, which came with 2.6."""

EVENTS = {element: event for event, (_, element) in NOTICES.items()} | {PUBLISHED[1]: Event.PROGRESS}

ACKNOWLEDGED = {
    Event.DELIVERED: True,
    Event.REJECTED: False,
    Event.NOT_DELIVERED: False,
    Event.HAND_OVER_FAILED: False,
}
"""Events told by an acknowledgment (квитанция): what `accepted` says."""

MADE = frozenset({"addressee", "clause", "destination", "file", "link", "signatory", "signedData", "signerInfo"})
"""Elements whose number the card says: extras never create one."""

MADE_IN_PASSPORT = frozenset(
    {
        "addressee", "attachment", "author", "documentSignature", "registration", "registrationStamp", "sign",
        "signature", "signatureStamp",
    }
)  # fmt: skip
"""The same in a passport."""

APPROVING = "Утверждающая"
"""`documentSignature/@type` of a signature that makes the document one."""

PERSONAL_DATA = "Содержит персональные данные"
"""`specialMark` of a letter about persons."""
