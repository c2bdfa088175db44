"""Parts of GOST R 53898 messages, each read and written: header, contacts, tasks."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo

from adapters.formats.gost53898.words import CONTROLLED, NOT_CONTROLLED, TIME_ZONE, VERSION
from adapters.formats.tree import Reader, Writer
from adapters.formats.values import KYRGYZ_TIME, write_date, write_time
from exchange.domain.card import Executor, Party, Person, Task
from exchange.domain.errors import DocumentError

OWN_RESOURCE = "0"


_ZONE_HOURS = 14


def write_header(root: Writer, message_id: str, time: datetime, kind: str, return_id: str) -> Writer:
    """The header of a new message of our own, in Kyrgyz time."""
    attributes = {
        "MessageID": message_id, "Version": VERSION, "TimeZone": TIME_ZONE, "Time": write_time(time),
        "MessageType": kind, "ReturnID": return_id, "ResourceID": OWN_RESOURCE,
    }  # fmt: skip
    return root.add("Header", attributes=attributes)


def zone_of(header: Reader) -> tzinfo:
    """Zone of times without an offset: `Header@TimeZone`, hours."""
    text = header.attr("TimeZone")
    if not text:
        return KYRGYZ_TIME
    hours = int(text) if len(text) <= len("+14") else _ZONE_HOURS + 1
    if abs(hours) > _ZONE_HOURS:
        raise DocumentError("@TimeZone is no offset in hours: write 6", place=header.place)
    return timezone(timedelta(hours=hours))


def read_party(entry: Reader) -> Party:
    """A sender, recipient or addressee: what a contact says of the organisation and the person."""
    person = read_contact(entry.at("Contact"))
    uid = entry.at("Contact/Organization").attr("UID")
    within = replace(person, organization="", department="")
    return Party(
        uid=uid, name=person.organization, unit=person.department, system=entry.text("EDMS"),
        person=None if within == Person() else within,
    )  # fmt: skip


def write_party(entry: Writer, party: Party, uid: str) -> None:
    """A contact that is an organisation, perhaps with a unit and a person."""
    person = party.person or Person()
    within = Person(
        name=person.name, post=person.post, department=party.unit, organization=party.name,
        region=person.region, contact=person.contact,
    )  # fmt: skip
    write_contact(entry, within, uid)


def read_contact(contact: Reader) -> Person:
    """Organisation and person of a contact."""
    organization = contact.at("Organization")
    return Person(
        name=contact.text("OfficialPerson/Name"), post=contact.text("OfficialPerson/Official"),
        department=contact.text("Department/Name"),
        organization=organization.text("ShortName") or organization.text("FullName"),
        region=contact.text("Address/Region"), contact=contact.text("Econtact"),
        signed=contact.date("OfficialPerson/SignDate"),
    )  # fmt: skip


def write_contact(entry: Writer, person: Person, uid: str = "") -> None:
    """The reverse of `read_contact`; `uid` is the organisation's."""
    contact = entry.add("Contact")
    contact.add("Organization", attributes={"UID": uid}).maybe("ShortName", person.organization)
    if person.department:
        contact.add("Department").add("Name", person.department)
    official = contact.add("OfficialPerson")
    official.maybe("Name", person.name)
    official.maybe("Official", person.post)
    official.maybe("SignDate", write_date(person.signed))
    official.prune()
    if person.region:
        contact.add("Address").add("Region", person.region)
    contact.maybe("Econtact", person.contact)


def write_registration(document: Writer, number: str, day: str) -> None:
    """Number and date of registration; the element is required, its content is not."""
    registration = document.add("RegistrationInfo")
    registration.maybe("Number", number)
    registration.maybe("Date", day)


def read_task(entry: Reader) -> Task:
    """A task; a state of control that is neither of ours stays an extra."""
    ident, control = entry.attr("TaskID"), entry.at("Control")
    entry.attr_if("UID", ident)
    if entry.peek("IsProject") == "false":
        entry.text("IsProject")
    controlled = control.attr_if("State", CONTROLLED)
    control.attr_if("State", NOT_CONTROLLED)
    executors = tuple(
        Executor(read_contact(executor.at("Contact")), executor.attr("Responsible"))
        for executor in entry.all("Executor")
    )
    author = entry.at("Author/Contact")
    return Task(
        ident, entry.text("Text"), control.date("Deadline"), controlled, executors,
        read_contact(author) if author else None,
    )  # fmt: skip


def write_task(tasks: Writer, task: Task) -> None:
    """The reverse of `read_task`."""
    entry = tasks.add("Task", attributes={"UID": task.id, "TaskID": task.id})
    if task.author is not None:
        write_contact(entry.add("Author"), task.author)
    entry.maybe("Text", task.text)
    for executor in task.executors:
        write_contact(entry.add("Executor", attributes={"Responsible": executor.role}), executor.who)
    state = CONTROLLED if task.controlled else NOT_CONTROLLED
    if task.controlled or task.deadline:
        entry.add("Control", attributes={"State": state}).maybe("Deadline", write_date(task.deadline))
    entry.add("IsProject", "false")
