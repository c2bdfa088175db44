"""Records of a personnel service: appointment, transfer, leave, attestation, and the answers to them.

No format of e-Kyzmat is public: this is the project's own profile (docs/formats/e-kyzmat.md).
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from adapters.formats.json_profile.documents import Ident, Letter, Part

MEDIA_TYPE = "application/vnd.kg.exchange.staff+json"
FILE_NAME = "staff.json"
FIELD = "staff"
"""Where a letter of the profile holds records."""

PersonalNumber = Annotated[str, Meta(pattern="^[0-9]{14}$", description="Personal identification number, 14 digits")]


class Employee(Part, frozen=True, kw_only=True):
    """Whom a record is about."""

    personal_number: PersonalNumber
    surname: Ident
    given_name: Ident
    patronymic: str = ""
    birth_date: date | None = None


class Order(Part, frozen=True, rename={"dated": "date"}):
    """The order or protocol that a record rests on."""

    number: Ident
    dated: date


class Position(Part, frozen=True):
    """A position in a body."""

    title: Ident
    department: str = ""
    grade: Annotated[str, Meta(description="Class rank that belongs to it")] = ""


class Record(Part, frozen=True, kw_only=True, tag_field="type"):
    """What all records have."""

    id: Annotated[str, Meta(min_length=1, description="Of no other record in the letter; answers name it")]
    employee: Employee
    order: Order


class Appointment(Record, frozen=True, kw_only=True, tag="appointment"):
    """Somebody enters a position."""

    position: Position
    first_day: date
    last_day: Annotated[date | None, Meta(description="Of a temporary appointment")] = None
    probation_until: date | None = None
    mode: Literal["permanent", "temporary", "acting"] = "permanent"


class Transfer(Record, frozen=True, kw_only=True, tag="transfer"):
    """Somebody goes from one position to another."""

    previous: Position
    position: Position
    first_day: Annotated[date, Meta(description="In the new position")]
    body: Annotated[str, Meta(description="Code of the body that the new position is in, if it is another")] = ""


class Leave(Record, frozen=True, kw_only=True, tag="leave"):
    """Somebody is away."""

    leave: Literal["annual", "study", "maternity", "parental", "sick", "unpaid"]
    first_day: date
    last_day: date
    replaced_by: Employee | None = None


class Commission(Part, frozen=True, kw_only=True):
    """Who attested, and the protocol of it."""

    name: Ident
    chair: Ident
    members: tuple[Ident, ...] = ()
    protocol: Order


class Attestation(Record, frozen=True, kw_only=True, tag="attestation"):
    """Somebody's skills were examined."""

    subject: Annotated[str, Meta(min_length=1, description="What was examined")] = "edms-skills"
    result: Annotated[
        Literal["passed", "retake", "failed", "absent"],
        Meta(description="Only `passed` has a `valid_until`, and must"),
    ]
    score: Annotated[int, Meta(ge=0, le=100)] | None = None
    commission: Commission
    held_on: date
    valid_until: date | None = None
    certificate: Annotated[str, Meta(description="Number of the certificate")] = ""


AnyRecord = Appointment | Transfer | Leave | Attestation


class Campaign(Part, frozen=True, kw_only=True):
    """An attestation of many: its records' days lie within it."""

    id: Ident
    title: str = ""
    first_day: date
    last_day: date


class Answer(Part, frozen=True, kw_only=True):
    """What became of one record of the letter that is answered."""

    record: Annotated[str, Meta(min_length=1, description="Its `id`")]
    outcome: Literal["entered", "refused"]
    number: Annotated[str, Meta(description="Under which it was entered")] = ""
    entered_on: date | None = None
    reason: Annotated[str, Meta(description="Why it was refused; then it must be said")] = ""
    place: Annotated[str, Meta(description="Which field was refused: a JSON Pointer within the record")] = ""


class Staff(Part, frozen=True, kw_only=True):
    """Records of staff, or answers to the records of an earlier letter."""

    format: Literal["staff-1"] = "staff-1"
    campaign: Campaign | None = None
    records: tuple[AnyRecord, ...] = ()
    answers: tuple[Answer, ...] = ()


class StaffLetter(Letter, frozen=True, kw_only=True):
    """A letter that may hold records of staff."""

    staff: Staff | None = None
