"""The envelope of MEDO's mail (`envelope.ini`, `envelope.ltr`): to which addresses, about what, which files.

Sections of `key=value` lines in windows-1251. Gateways on the way add lines in utf-8, so each line is
read for itself; a byte that windows-1251 does not have is an error.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from adapters.formats.files import fold
from adapters.formats.medo.words import NO_NUMBER
from adapters.formats.values import write_date, write_time
from exchange.agent.ports import Package
from exchange.domain.errors import DocumentError

ENVELOPES = ("envelope.ini", "envelope.ltr")
ENVELOPE_BYTES = 64 * 1024
SUBJECT = "envelope/subject"
"""Path of the extra that keeps an envelope's subject."""

_MAIL, _ADDRESSES, _FILES = "ПИСЬМО КП ПС СЗИ", "АДРЕСАТЫ", "ФАЙЛЫ"
_SUBJECT_KEY = "ТЕМА"
_FLAGS = {"ШИФРОВАНИЕ": "0", "АВТООТПРАВКА": "1", "ЭЦП": "1", "ДОСТАВЛЕНО": "1", "ПРОЧТЕНО": "1"}
_NETWORK = "MEDO"
_SUBJECT_CHARACTERS = 200
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Letters that Kyrgyz has and windows-1251 has not, in names of files.
_NEAREST = str.maketrans("ңөүҢӨҮ", "ноуНОУ")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the mail says of a package; all empty where it has no envelope.

    Attributes:
        addresses: identifiers of the organisations, without the name of the network before `~`.
        subject: for people.
    """

    addresses: tuple[str, ...] = ()
    subject: str = ""


def open_envelope(package: Package) -> Envelope:
    """The envelope of a package.

    Raises:
        DocumentError: `document-too-large`, `document-encoding`, or `file-missing`: it lists a file that is not there,
            so the package is not whole.
    """
    present = {fold(name): name for name in package.files}
    addresses: list[str] = []
    subject = ""
    for name in (present[each] for each in ENVELOPES if each in present):
        for section, key, value in _entries(package.files[name], name):
            if section == _ADDRESSES:
                addresses.append(value.partition("~")[2] or value)
            elif section == _FILES and fold(value) not in present:
                message = "the envelope lists a file that is not in the package: wait for the rest of the mail"
                raise DocumentError(message, code="file-missing", place=f"{name}, [{_FILES}] {key[:20]!r}")
            elif section == _MAIL and key == _SUBJECT_KEY:
                subject = subject or value
    return Envelope(tuple(dict.fromkeys(filter(None, addresses))), subject)


def subject_of(number: str, day: date | None) -> str:
    """The usual subject, about the letter of that number."""
    dated = "" if day is None else f" от {_day(write_date(day))}"
    return f"ЭСД МЭДО ({number or NO_NUMBER}{dated})"


def write_envelope(subject: str, addresses: Iterable[str], files: Iterable[str], created: datetime) -> bytes:
    """An envelope; what windows-1251 cannot hold is `?`."""
    time = write_time(created)
    lines = [f"[{_MAIL}]", f"{_SUBJECT_KEY}={_line(subject)[:_SUBJECT_CHARACTERS]}"]
    lines += [f"{key}={value}" for key, value in _FLAGS.items()]
    lines += [f"ДАТА={_day(time)} {time[11:19]}", f"[{_ADDRESSES}]"]
    lines += [f"{number}={_NETWORK}~{_line(address)}" for number, address in enumerate(addresses)]
    lines += [f"[{_FILES}]", *(f"{number}={name}" for number, name in enumerate(files)), ""]
    return "\r\n".join(lines).encode("cp1251", "replace")


def mailed_name(name: str) -> str:
    """A name for a file that an envelope can list: Kyrgyz letters by their neighbours, others by `_`."""
    return "".join(letter if _is_mailed(letter) else "_" for letter in name.translate(_NEAREST))


def _entries(data: bytes, name: str) -> Iterator[tuple[str, str, str]]:
    """Section, key and value of each line that has them."""
    if len(data) > ENVELOPE_BYTES:
        message = f"the envelope has {len(data)} bytes, more than {ENVELOPE_BYTES}: it lists addresses and files only"
        raise DocumentError(message, code="document-too-large", place=name)
    section = ""
    for number, raw in enumerate(data.removeprefix(_BYTE_ORDER_MARK).splitlines(), 1):
        line = _decoded(raw, f"{name}, line {number}").strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip().upper()
        elif "=" in line:
            key, _, value = line.partition("=")
            yield section, key.strip().upper(), value.strip()


def _decoded(line: bytes, place: str) -> str:
    for codec in ("utf-8", "cp1251"):
        try:
            return line.decode(codec)
        except UnicodeDecodeError:
            continue
    message = "bytes that windows-1251 does not have: write the envelope in windows-1251"
    raise DocumentError(message, code="document-encoding", place=place)


def _day(time: str) -> str:
    """The day of an `xs:date` or `xs:dateTime` as people write it."""
    return f"{time[8:10]}.{time[5:7]}.{time[:4]}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _is_mailed(letter: str) -> bool:
    try:
        letter.encode("cp1251")
    except UnicodeEncodeError:
        return False
    return True
