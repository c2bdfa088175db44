"""Parts of MEDO messages, each read and written: persons, numbers, links, tasks."""

from adapters.formats.letters import Remarks
from adapters.formats.medo.words import (
    ANNOTATION_CHARACTERS,
    CONTROLLED,
    LINK_TYPES,
    NO_NUMBER,
    NUMBER_CHARACTERS,
    OTHER_LINK,
    PARTICIPANT,
    RESPONSIBLE,
)
from adapters.formats.tree import Reader, Writer
from adapters.formats.values import read_time, write_date
from exchange.domain.card import DocumentSignature, Executor, Link, Party, Person, Task


def read_partner(entry: Reader) -> Party:
    """A sender or destination: uid and organisation."""
    return Party(uid=entry.attr("uid"), name=entry.text("organization"))


def read_addressee(entry: Reader) -> Party:
    """An addressee; what is said of a person within stands in `person`."""
    person = Person(
        name=entry.text("person"), post=entry.text("post"), region=entry.text("region"),
        contact=entry.text("contactInfo"),
    )  # fmt: skip
    return Party(
        uid=entry.attr("uid"), name=entry.text("organization"), unit=entry.text("department"),
        person=None if person == Person() else person,
    )  # fmt: skip


def write_addressee(entry: Writer, party: Party, name: str) -> None:
    """The reverse of `read_addressee`, but for the uid; `name` is the organisation's."""
    person = party.person or Person()
    entry.maybe("region", person.region)
    entry.maybe("organization", name)
    entry.maybe("person", person.name)
    entry.maybe("department", party.unit)
    entry.maybe("post", person.post)
    entry.maybe("contactInfo", person.contact)


def read_person(entry: Reader) -> Person:
    """Anyone whom a document names."""
    return Person(
        name=entry.text("person"), post=entry.text("post"), department=entry.text("department"),
        organization=entry.text("organization"), region=entry.text("region"), contact=entry.text("contactInfo"),
        signed=entry.date("signed"),
    )  # fmt: skip


def write_person(entry: Writer, person: Person) -> None:
    """The reverse of `read_person`, but for the date of signing."""
    entry.maybe("region", person.region)
    entry.maybe("organization", person.organization)
    entry.maybe("person", person.name)
    entry.maybe("department", person.department)
    entry.maybe("post", person.post)
    entry.maybe("contactInfo", person.contact)


def described(person: Person) -> str:
    """A person in one line for people."""
    return ", ".join(filter(None, (person.name, person.post, person.department, person.organization)))


def read_number(entry: Reader) -> str:
    """The number of a `num`; empty where the document has none."""
    number = entry.text("number")
    return "" if number == NO_NUMBER else number


def write_number(parent: Writer, number: str, day: str) -> None:
    """A `num`; what has no number is `б/н`."""
    num = parent.add("num")
    num.add("number", number or NO_NUMBER)
    num.maybe("date", day)


def read_link(entry: Reader) -> Link:
    """A link to another document."""
    number = entry.at("reference/num")
    return Link(entry.text("linkType"), entry.attr("uid"), read_number(number), number.date("date"))


def write_link(links: Writer, link: Link, remarks: Remarks, characters: int = NUMBER_CHARACTERS) -> None:
    """The reverse of `read_link`, its number in so many characters; another kind goes into the comment."""
    known = link.type in LINK_TYPES
    entry = links.add("link", attributes={"uid": link.document_id})
    entry.add("linkType", link.type if known else OTHER_LINK)
    reference = entry.add("reference")
    if link.number or link.dated:
        number = remarks.fit("Номер связанного документа", link.number, characters)
        write_number(reference, number, write_date(link.dated))
    reference.maybe("comment", "" if known else link.type)
    reference.prune()


def read_task(entry: Reader, index: int) -> Task:
    """A clause; its place stands for a missing id."""
    executors = []
    if principal := entry.at("principal"):
        executors.append(Executor(read_person(principal), RESPONSIBLE))
    executors.extend(Executor(read_person(person), PARTICIPANT) for person in entry.all("parcipants/parcipant"))
    controlled = entry.peek("comment") == CONTROLLED
    if controlled:
        entry.text("comment")
    return Task(
        id=entry.attr("localId") or str(index), text=entry.text("text"), deadline=entry.date("deadline"),
        controlled=controlled, executors=tuple(executors),
    )  # fmt: skip


def write_clause(clauses: Writer, task: Task, remarks: Remarks) -> None:
    """The reverse of `read_task`."""
    entry = clauses.add("clause", attributes={"localId": task.id})
    entry.maybe("text", remarks.fit(f"Пункт {task.id}", task.text, ANNOTATION_CHARACTERS))
    entry.maybe("deadline", write_date(task.deadline))
    responsible = next((executor for executor in task.executors if executor.role == RESPONSIBLE), None)
    if responsible is not None:
        write_person(entry.add("principal"), responsible.who)
    others = entry.add("parcipants")
    for executor in task.executors:
        if executor is not responsible:
            write_person(others.add("parcipant"), executor.who)
    others.prune()
    entry.maybe("comment", CONTROLLED if task.controlled else "")
    if task.author is not None:
        remarks.say(f"Пункт {task.id}, автор", described(task.author))


def read_signatures(entry: Reader, file_id: str) -> list[DocumentSignature]:
    """The detached signatures of one file."""
    found = []
    for signed in entry.all("signedData"):
        signed.attr("localName")
        for info in signed.all("signerInfo"):
            time = info.text("digestTime")
            found.append(
                DocumentSignature(
                    file_id, info.attr("signature"), read_person(info.at("signer")),
                    read_time(time, info.place) if time else None,
                )
            )  # fmt: skip
    return found
