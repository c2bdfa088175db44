"""Parts of passports, each read and written: organisations and persons."""

from adapters.formats.tree import Reader, Writer
from exchange.domain.card import Party, Person

_BETWEEN = ", "


def read_person(entry: Reader, organization: str = "") -> Person:
    """A person of an organisation; telephone and e-mail are one text of the card."""
    contact = _BETWEEN.join(filter(None, (entry.text("phone"), entry.text("email"))))
    return Person(name=entry.text("name"), post=entry.text("post"), organization=organization, contact=contact)


def write_person(entry: Writer, person: Person) -> None:
    """The reverse of `read_person`, without the organisation."""
    phone, _, email = person.contact.rpartition(_BETWEEN)
    if "@" not in email or (_BETWEEN in person.contact and not phone):
        phone, email = person.contact, ""
    entry.maybe("post", person.post)
    entry.maybe("name", person.name)
    entry.maybe("phone", phone)
    entry.maybe("email", email)


def read_addressee(entry: Reader) -> Party:
    """An addressee; passports do not give identifiers."""
    person = read_person(entry.at("person"))
    return Party(
        name=entry.text("organization/title"), unit=entry.text("department/title"),
        person=None if person == Person() else person,
    )  # fmt: skip


def write_addressee(entry: Writer, party: Party, name: str) -> None:
    """The reverse of `read_addressee`; `name` is the organisation's."""
    if name:
        entry.add("organization").add("title", name)
    if party.unit:
        entry.add("department").add("title", party.unit)
    person = entry.add("person")
    write_person(person, party.person or Person())
    person.prune()
