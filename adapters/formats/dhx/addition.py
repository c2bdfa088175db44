"""What this exchange adds to a capsule: `Letter` in its `RecordTypeSpecificMetadata`, for what it has no element for.

Other systems skip it. Nothing stands there that the capsule says itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from lxml.etree import _Element as Element

from adapters.formats.dhx.words import OWN_NAMES, OWN_SCHEMA
from adapters.formats.tree import Document, Reader, Writer
from adapters.formats.values import read_date, read_integer, read_time, write_date, write_time
from exchange.domain.card import DocumentSignature, Executor, Link, Person, Task, Translation
from exchange.domain.statement import AckPolicy, Urgency
from exchange.wire.xml import schema

_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class FileDetails:
    """What a capsule cannot say of a file: its id where that is no GUID, whether it is data, pages, description."""

    id: str = ""
    data: bool = False
    pages: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Addition:
    """What a capsule cannot say of a letter. Defaults are what holds for a capsule without.

    Attributes:
        unregistered: `RecordDateRegistered`, which a capsule must have, is no day of registration.
        without_files: the capsule's only file is `letter.txt`, written because there must be one.
        signatories: what is known beyond the name, by number of the `SignatureMetadata` from 1.
        files: by `FileGuid`.
        signatures: of files, `file_id` being a `FileGuid`.
    """

    message_id: str = ""
    document_id: str = ""
    consignment_id: str = ""
    local_id: str = ""
    purpose: str = ""
    addition: bool = False
    confidential: bool = False
    personal_data: bool = False
    unregistered: bool = False
    without_files: bool = False
    restriction_basis: str = ""
    restriction_end: date | None = None
    system: str = ""
    x_road_id: str = ""
    soate: str = ""
    executor_signed: date | None = None
    urgency: Urgency = Urgency.ROUTINE
    ack: AckPolicy = AckPolicy.ALWAYS
    wanted: tuple[str, ...] = ()
    signatories: Mapping[int, Person] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    tasks: tuple[Task, ...] = ()
    files: Mapping[str, FileDetails] = field(default_factory=dict)
    signatures: tuple[DocumentSignature, ...] = ()
    translations: tuple[Translation, ...] = ()


def read_addition(additions: Element | None, file: str) -> Addition:
    """The exchange's own element among the additions of a capsule; all defaults without one.

    Raises:
        DocumentError: it is not as `schemas/xml/dhx-exchange.xsd` says, or a date is none of the calendar.
    """
    root = None if additions is None else additions.find(OWN_NAMES.tag("Letter"))
    if root is None:
        return Addition()
    schema(OWN_SCHEMA).check(root, file)
    entry = Reader(Document(file, OWN_NAMES), root)
    return Addition(
        message_id=entry.attr("MessageId"),
        document_id=entry.attr("DocumentId"),
        consignment_id=entry.attr("ConsignmentId"),
        local_id=entry.attr("LocalId"),
        purpose=entry.attr("Purpose"),
        addition=entry.attr("Addition") in _TRUE,
        confidential=entry.attr("Confidential") in _TRUE,
        personal_data=entry.attr("PersonalData") in _TRUE,
        unregistered=entry.attr("Unregistered") in _TRUE,
        without_files=entry.attr("WithoutFiles") in _TRUE,
        restriction_basis=entry.attr("RestrictionBasis"),
        restriction_end=_date(entry, "RestrictionEndDate"),
        system=entry.attr("System"),
        x_road_id=entry.attr("XRoadId"),
        soate=entry.attr("Soate"),
        executor_signed=_date(entry, "ExecutorSigned"),
        urgency=Urgency(entry.attr("Urgency") or Urgency.ROUTINE),
        ack=AckPolicy(entry.attr("Receipts") or AckPolicy.ALWAYS),
        wanted=tuple(wanted.attr("Event") for wanted in entry.all("Wanted")),
        signatories={
            read_integer(each.attr("Number"), each.place): read_person(each) for each in entry.all("Signatory")
        },
        links=tuple(map(_read_link, entry.all("Link"))),
        tasks=tuple(map(_read_task, entry.all("Task"))),
        files={each.attr("Guid"): _read_file(each) for each in entry.all("File")},
        signatures=tuple(map(_read_signature, entry.all("FileSignature"))),
        translations=tuple(map(_read_translation, entry.all("Translation"))),
    )


def write_addition(addition: Addition) -> Element | None:
    """The reverse of `read_addition`; None where a capsule says all."""
    if addition == Addition():
        return None
    root = Writer.root(OWN_NAMES, "Letter", _attributes(addition))
    for event in addition.wanted:
        root.add("Wanted", attributes={"Event": event})
    for number, person in addition.signatories.items():
        root.add("Signatory", attributes={"Number": str(number), **person_attributes(person)})
    for link in addition.links:
        attributes = {"Type": link.type, "DocumentId": link.document_id, "Number": link.number}
        root.add("Link", attributes={**attributes, "Date": write_date(link.dated)})
    for task in addition.tasks:
        _write_task(root, task)
    for guid, file in addition.files.items():
        root.add("File", attributes={"Guid": guid, "Id": file.id, "Data": _flag(flag=file.data),
                                     "Pages": str(file.pages or ""), "Description": file.description})  # fmt: skip
    for signature in addition.signatures:
        attributes = {"Of": signature.file_id, "FileName": signature.signature_file, "Time": write_time(signature.time)}
        root.add("FileSignature", attributes={**attributes, **person_attributes(signature.signer)})
    for translation in addition.translations:
        entry = root.add("Translation", attributes={"Language": translation.language})
        entry.add("Title", translation.title)
        entry.add("Abstract", translation.annotation)
    return root.element


def _attributes(addition: Addition) -> dict[str, str]:
    return {
        "MessageId": addition.message_id,
        "DocumentId": addition.document_id,
        "ConsignmentId": addition.consignment_id,
        "LocalId": addition.local_id,
        "Purpose": addition.purpose,
        "Addition": _flag(flag=addition.addition),
        "Confidential": _flag(flag=addition.confidential),
        "PersonalData": _flag(flag=addition.personal_data),
        "Unregistered": _flag(flag=addition.unregistered),
        "WithoutFiles": _flag(flag=addition.without_files),
        "RestrictionBasis": addition.restriction_basis,
        "RestrictionEndDate": write_date(addition.restriction_end),
        "System": addition.system,
        "XRoadId": addition.x_road_id,
        "Soate": addition.soate,
        "ExecutorSigned": write_date(addition.executor_signed),
        "Urgency": "" if addition.urgency is Urgency.ROUTINE else addition.urgency.value,
        "Receipts": "" if addition.ack is AckPolicy.ALWAYS else addition.ack.value,
    }


def read_person(entry: Reader) -> Person:
    """A person, all in attributes."""
    return Person(
        name=entry.attr("Name"), post=entry.attr("Post"), department=entry.attr("Department"),
        organization=entry.attr("Organisation"), region=entry.attr("Region"), contact=entry.attr("Contact"),
        signed=_date(entry, "Signed"),
    )  # fmt: skip


def person_attributes(person: Person) -> dict[str, str]:
    """The reverse of `read_person`."""
    return {
        "Name": person.name, "Post": person.post, "Department": person.department,
        "Organisation": person.organization, "Region": person.region, "Contact": person.contact,
        "Signed": write_date(person.signed),
    }  # fmt: skip


def _read_link(entry: Reader) -> Link:
    return Link(entry.attr("Type"), entry.attr("DocumentId"), entry.attr("Number"), _date(entry, "Date"))


def _read_task(entry: Reader) -> Task:
    return Task(
        id=entry.attr("Id"), text=entry.text("Text"), deadline=_date(entry, "Deadline"),
        controlled=entry.attr("Controlled") in _TRUE,
        executors=tuple(Executor(read_person(each), each.attr("Role")) for each in entry.all("Executor")),
        author=read_person(entry.at("Author")) if entry.at("Author") else None,
    )  # fmt: skip


def _write_task(root: Writer, task: Task) -> None:
    attributes = {"Id": task.id, "Deadline": write_date(task.deadline), "Controlled": _flag(flag=task.controlled)}
    entry = root.add("Task", attributes=attributes)
    entry.add("Text", task.text)
    if task.author is not None:
        entry.add("Author", attributes=person_attributes(task.author))
    for executor in task.executors:
        entry.add("Executor", attributes={"Role": executor.role, **person_attributes(executor.who)})


def _read_file(entry: Reader) -> FileDetails:
    pages = read_integer(entry.attr("Pages"), entry.place) or None
    return FileDetails(entry.attr("Id"), entry.attr("Data") in _TRUE, pages, entry.attr("Description"))


def _read_signature(entry: Reader) -> DocumentSignature:
    time = entry.attr("Time")
    when = read_time(time, entry.place) if time else None
    return DocumentSignature(entry.attr("Of"), entry.attr("FileName"), read_person(entry), when)


def _read_translation(entry: Reader) -> Translation:
    return Translation(entry.attr("Language"), entry.text("Title"), entry.text("Abstract"))


def _date(entry: Reader, name: str) -> date | None:
    return read_date(entry.attr(name), entry.place)


def _flag(*, flag: bool) -> str:
    return "true" if flag else ""
