"""Parts of a capsule, each read and written: identifiers, days, organisations, persons, contacts."""

import re
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid5

from adapters.formats.tree import Reader, Writer
from adapters.formats.values import read_date, write_date
from exchange.domain.card import Party, Person

_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PHONE = re.compile(r"[ ()+\-0-9]+")
_OWN_GUIDS = UUID("5b6b1f0e-7d0c-5a3e-9d55-6d2f3c1a8e47")
_MIDNIGHT = "T00:00:00"


def is_guid(text: str) -> bool:
    """Whether a capsule takes `text` for an identifier."""
    return _GUID.fullmatch(text) is not None


def guid_of(text: str) -> str:
    """`text` where it is a GUID, else always the same GUID for the same text."""
    return text if is_guid(text) else str(uuid5(_OWN_GUIDS, text))


def read_day(entry: Reader, path: str) -> date | None:
    """The day of a time, as its writer's clock showed it; the whole stays an extra where the hour is told too."""
    at = entry.at(path)
    day = read_date(entry.peek(path), at.place)
    if entry.peek(path) == write_day(day):
        at.text()
    return day


def write_day(day: date | None) -> str:
    """A day where a time is asked for."""
    return "" if day is None else write_date(day) + _MIDNIGHT


def day_of(time: str) -> str:
    """The day that a time begins with: to compare what an extra says with what the card does."""
    return time[: len("2022-01-20")]


def read_participant(entry: Reader) -> Person:
    """Organisation, person and contact of a participant.

    A name's parts, personal codes, further ways of contact and the rest of an address stay extras.
    """
    organisation = entry.at("Organisation")
    return Person(
        name=entry.text("Person/Name"), post=organisation.text("PositionTitle"),
        department=organisation.text("StructuralUnit"), organization=organisation.text("Name"),
        region=entry.text("ContactData/PostalAddress/County"), contact=_read_contact(entry.at("ContactData")),
    )  # fmt: skip


def write_participant(entry: Writer, person: Person, code: str = "") -> None:
    """The reverse of `read_participant`; `code` is the organisation's."""
    if person.organization or code or person.department or person.post:
        organisation = entry.add("Organisation")
        organisation.add("Name", person.organization)
        organisation.maybe("OrganisationCode", code)
        organisation.maybe("StructuralUnit", person.department)
        organisation.maybe("PositionTitle", person.post)
    if person.name:
        entry.add("Person").add("Name", person.name)
    if person.contact or person.region:
        contact = entry.add("ContactData")
        contact.maybe(_kind_of_contact(person.contact), person.contact)
        if person.region:
            contact.add("PostalAddress").add("County", person.region)


def read_party(entry: Reader) -> Party:
    """An addressee: what a participant says of the organisation and of the person within."""
    person = read_participant(entry)
    within = replace(person, organization="", department="")
    return Party(
        uid=entry.text("Organisation/OrganisationCode"), name=person.organization, unit=person.department,
        person=None if within == Person() else within,
    )  # fmt: skip


def write_party(entry: Writer, party: Party, code: str) -> None:
    """The reverse of `read_party`."""
    person = replace(party.person or Person(), organization=party.name, department=party.unit)
    write_participant(entry, person, code)


def read_mailbox(entry: Reader) -> Party:
    """A sender or recipient of the transport: code and unit."""
    return Party(uid=entry.text("OrganisationCode"), unit=entry.text("StructuralUnit"))


def write_mailbox(entry: Writer, code: str, unit: str) -> None:
    """The reverse of `read_mailbox`."""
    entry.add("OrganisationCode", code)
    entry.maybe("StructuralUnit", unit)


def _read_contact(entry: Reader) -> str:
    """The first way of contact that is told."""
    kinds = ("Phone", "Email", "MessagingAddress")
    return next((entry.text(kind) for kind in kinds if entry.peek(kind)), "")


def _kind_of_contact(contact: str) -> str:
    """The element for a contact: a telephone's number has digits and signs only."""
    if _PHONE.fullmatch(contact):
        return "Phone"
    return "Email" if "@" in contact else "MessagingAddress"
