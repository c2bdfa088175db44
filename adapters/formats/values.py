"""Values as both formats write them: dates, times, words for access and urgency, titles.

Words that a document uses and these tables do not know stay in the card's extras, so that the same
format gets its own word back; what they mean is then taken cautiously.
"""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, Urgency

KYRGYZ_TIME = timezone(timedelta(hours=6))
"""Asia/Bishkek: formats write local time without an offset; no summer time since 2005."""

TITLE_CHARACTERS = 250
_INTEGER_CHARACTERS = 18
_KYRGYZ_LETTERS = frozenset("ңөүҢӨҮ")

_ACCESS_WORDS = {
    "": Access.PUBLIC,
    "общий": Access.PUBLIC,
    "открытый": Access.PUBLIC,
    "общедоступный": Access.PUBLIC,
    "жалпы": Access.PUBLIC,
    "ачык": Access.PUBLIC,
    "дсп": Access.RESTRICTED,
    "для служебного пользования": Access.RESTRICTED,
    "кызматтык пайдалануу үчүн": Access.RESTRICTED,
    "конфиденциально": Access.CONFIDENTIAL,
    "конфиденциальный": Access.CONFIDENTIAL,
    "секретно": Access.CONFIDENTIAL,
    "купуя": Access.CONFIDENTIAL,
}
_URGENCY_WORDS = {
    "": Urgency.ROUTINE,
    "обычная": Urgency.ROUTINE,
    "обычный": Urgency.ROUTINE,
    "срочно": Urgency.URGENT,
    "срочная": Urgency.URGENT,
    "срочный": Urgency.URGENT,
    "шашылыш": Urgency.URGENT,
    "весьма срочно": Urgency.IMMEDIATE,
    "незамедлительно": Urgency.IMMEDIATE,
    "вне очереди": Urgency.IMMEDIATE,
    "өтө шашылыш": Urgency.IMMEDIATE,
}


def access_of(word: str) -> Access:
    """What a word for access means; an unknown one is taken as restricted, never as public."""
    return _ACCESS_WORDS.get(word.strip().casefold(), Access.RESTRICTED)


def urgency_of(word: str) -> Urgency:
    """What a word for urgency means; an unknown one is taken as routine."""
    return _URGENCY_WORDS.get(word.strip().casefold(), Urgency.ROUTINE)


def read_integer(text: str, place: str) -> int:
    """An `xs:integer`; 0 for the empty text.

    Raises:
        DocumentError: more digits than any number has; leading zeros are digits too, which validators skip.
    """
    if len(text) > _INTEGER_CHARACTERS:
        message = f"a number of more than {_INTEGER_CHARACTERS} characters: write it without leading zeros"
        raise DocumentError(message, place=place)
    return int(text or 0)


def read_date(text: str, place: str) -> date | None:
    """An `xs:date`, its offset ignored; None for the empty text.

    Raises:
        DocumentError: a date that the calendar, or this system (years 1 to 9999), does not have.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise DocumentError("no date of the calendar: write YYYY-MM-DD", place=place) from None


def read_time(text: str, place: str, zone: tzinfo = KYRGYZ_TIME) -> datetime:
    """An `xs:dateTime` as UTC; without an offset it is a time of `zone`.

    Raises:
        DocumentError: a time that the calendar, or this system, does not have.
    """
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise DocumentError("no time of the calendar: write YYYY-MM-DDThh:mm:ss", place=place) from None


def write_date(day: date | None) -> str:
    """As `xs:date`; empty for None."""
    return "" if day is None else day.isoformat()


def write_time(time: datetime | None) -> str:
    """As `xs:dateTime` in Kyrgyz time without an offset, the way the formats' systems write it.

    Another body's clock may say the last hours of the year 9999, which are over in Bishkek: these stay UTC.
    """
    if time is None:
        return ""
    try:
        return time.astimezone(KYRGYZ_TIME).replace(tzinfo=None).isoformat()
    except OverflowError:
        return time.replace(tzinfo=None).isoformat()


def title_of(annotation: str) -> str:
    """A title for lists: the annotation's first line, cut to 250 characters."""
    return cut(annotation.split("\n", 1)[0].strip(), TITLE_CHARACTERS)


def annotation_of(title: str, annotation: str) -> str:
    """The one text of the formats, from a card's two."""
    if title_of(annotation) == title or not title:
        return annotation
    return f"{title}\n{annotation}" if annotation else title


def language_of(text: str) -> str:
    """`ky` where the text has a letter that only Kyrgyz has, else `ru`: the formats do not say."""
    return "ru" if _KYRGYZ_LETTERS.isdisjoint(text) else "ky"


def cut(text: str, characters: int) -> str:
    """`text`, ended by an ellipsis where it is longer than `characters`."""
    return text if len(text) <= characters else text[: characters - 1] + "…"
