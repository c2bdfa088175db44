"""What records of staff must be beyond their types; each rule names the field."""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any, cast

from adapters.formats.json_profile.source import Path, Source
from adapters.formats.staff.records import AnyRecord, Appointment, Attestation, Campaign, Leave, Record, Staff
from exchange.domain.errors import DocumentError
from exchange.wire.xml import FAULTS

Fault = tuple[Path, str]
"""Where, below the records, and what."""


def read_staff(source: Source, value: Any, path: Path = ()) -> Staff:
    """Records of staff that stand in a document at `path`.

    Raises:
        DocumentError: `document-invalid` with the first faults, each with line and field.
    """
    try:
        staff = source.convert(value, Staff, path)
    except DocumentError as error:
        raise _together(_misshapen(source, value, path), error) from None
    faults = (source.fault((*path, *where), what) for where, what in _faults(staff))
    first = next(faults, None)
    if first is not None:
        raise _together(faults, first)
    return staff


def _misshapen(source: Source, value: Any, path: Path) -> Iterator[DocumentError]:
    """A fault for each record that is none: who writes thirty by hand wants to learn of all at once."""
    records = value.get("records") if isinstance(value, dict) else None
    for index, record in enumerate(records if isinstance(records, list) else ()):
        try:
            source.convert(record, cast("type[Record]", AnyRecord), (*path, "records", index))
        except DocumentError as error:
            yield error


def _together(faults: Iterable[DocumentError], first: DocumentError) -> DocumentError:
    """The first fault, and further ones as its others."""
    others = (str(fault) for fault in faults)
    first.others = tuple(islice((text for text in others if text != str(first)), FAULTS - 1))
    return first


def _faults(staff: Staff) -> Iterator[Fault]:
    if not staff.records and not staff.answers:
        yield (), "neither records nor answers: write what there is to say, or leave `staff` out"
    yield from _repeated("records", "id", [record.id for record in staff.records])
    yield from _repeated("answers", "record", [answer.record for answer in staff.answers])
    for index, record in enumerate(staff.records):
        yield from ((("records", index, field), what) for field, what in _of_record(record, staff.campaign))
    for index, answer in enumerate(staff.answers):
        if answer.outcome == "refused" and not answer.reason:
            yield ("answers", index), "refused without a reason: fill `reason`"


def _repeated(members: str, name: str, idents: list[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, ident in enumerate(idents):
        if ident in seen:
            yield (members, index, name), "another one has it too: each record has an id of its own and one answer"
        seen.add(ident)


def _of_record(record: Record, campaign: Campaign | None) -> Iterator[tuple[str, str]]:
    match record:
        case Appointment():
            yield from _not_before("last_day", record.last_day, record.first_day)
            yield from _not_before("probation_until", record.probation_until, record.first_day)
            if record.mode == "temporary" and record.last_day is None:
                yield "last_day", "a temporary appointment has a last day: fill it"
        case Leave():
            yield from _not_before("last_day", record.last_day, record.first_day)
        case Attestation():
            yield from _of_attestation(record, campaign)


def _of_attestation(record: Attestation, campaign: Campaign | None) -> Iterator[tuple[str, str]]:
    passed = record.result == "passed"
    if passed and record.valid_until is None:
        yield "valid_until", "who passed is attested until some day: fill it"
    if not passed and record.valid_until is not None:
        yield "valid_until", "only who passed is attested: leave it out, or correct `result`"
    yield from _not_before("valid_until", record.valid_until, record.held_on)
    if campaign is not None and not campaign.first_day <= record.held_on <= campaign.last_day:
        yield "held_on", "outside the days of the campaign: correct one or the other"


def _not_before(field: str, last: date | None, first: date) -> Iterator[tuple[str, str]]:
    if last is not None and last < first:
        yield field, "earlier than the first day: correct one or the other"
