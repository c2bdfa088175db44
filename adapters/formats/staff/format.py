"""e-Kyzmat: the JSON profile whose letters may hold records of staff.

The records travel as a file of the letter, so that recipients with any format get them, and stand
inside the letter again where the recipient has this format. They are personal data: such a letter is
marked as one and is confidential, whatever its document says. Docs: docs/formats/e-kyzmat.md.
"""

from dataclasses import replace
from typing import Any

from adapters.formats.files import Attachments, file_info, fold
from adapters.formats.json_profile.format import JsonFormat, JsonOptions
from adapters.formats.json_profile.letter_writer import Writing
from adapters.formats.json_profile.source import Source, encode
from adapters.formats.staff.records import FIELD, FILE_NAME, MEDIA_TYPE, StaffLetter
from adapters.formats.staff.rules import read_staff
from adapters.ports import FormatPlugin
from exchange.agent.ports import DraftLetter
from exchange.domain.card import FileRole
from exchange.domain.directory import Directory
from exchange.domain.statement import Access

FORMAT = "e-kyzmat-1"


class EKyzmatFormat(JsonFormat):
    """Reads and writes packages of the JSON profile with records of staff.

    Attributes:
        name: `e-kyzmat-1`.
    """

    name = FORMAT

    def read_letter(self, source: Source, attachments: Attachments, directory: Directory) -> DraftLetter:
        """The letter, its records in a file.

        Raises:
            DocumentError: a field or file is wrong or missing, or a record.
        """
        staff = source.take(FIELD)
        draft = super().read_letter(source, attachments, directory)
        if staff is not None:
            return _enclosed(draft, source, staff)
        return _protected(draft) if _staff_files(draft) else draft

    def write_letter(self, draft: DraftLetter, writing: Writing) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The document, with the records in it.

        Raises:
            DocumentError: the card cannot be written, or a record is wrong.
        """
        rest, staff = _disclosed(_protected(draft) if _staff_files(draft) else draft)
        tree, files = super().write_letter(rest, replace(writing, kind=StaffLetter))
        return (tree if staff is None else {**tree, FIELD: staff}), files


E_KYZMAT = FormatPlugin(FORMAT, JsonOptions, lambda options: EKyzmatFormat(inline=options.inline))
"""As profiles name it."""


def _staff_files(draft: DraftLetter) -> dict[int, Source]:
    """Files that hold records of staff, by index, all of them right.

    Raises:
        DocumentError: names file, line and field of the first fault.
    """
    found = {}
    for index, (info, data) in enumerate(zip(draft.card.files, draft.files, strict=True)):
        if info.media_type == MEDIA_TYPE:
            # Its name is the sender's text and may be somebody's; what goes wrong here is told to operators.
            found[index] = Source(data, f"file {index + 1} of the letter")
            read_staff(found[index], found[index].tree)
    return found


def _protected(draft: DraftLetter) -> DraftLetter:
    """The draft marked as what it is: personal data."""
    return replace(draft, access=Access.CONFIDENTIAL, card=replace(draft.card, personal_data=True))


def _enclosed(draft: DraftLetter, source: Source, staff: Any) -> DraftLetter:
    """The draft with its records in a file; what no field of theirs takes goes with them."""
    read_staff(source, staff, (FIELD,))
    card = draft.card
    if any(FILE_NAME in {fold(file.name), file.id} or file.media_type == MEDIA_TYPE for file in card.files):
        message = f"records stand here and in a file too, or a file is called '{FILE_NAME}': leave one of them out"
        raise source.fault((FIELD,), message, "file-name-repeated")
    data = encode(staff)
    info = replace(file_info(FILE_NAME, FILE_NAME, data, FileRole.DATA), media_type=MEDIA_TYPE)
    whole = replace(draft, card=replace(card, files=(*card.files, info)), files=(*draft.files, data))
    return _protected(whole)


def _disclosed(draft: DraftLetter) -> tuple[DraftLetter, dict[str, Any] | None]:
    """The draft without the file of its records, and what that holds.

    Stays a file: one that is signed, for the signature is of its bytes; and where there are several.
    """
    found = _staff_files(draft)
    signed = {signature.file_id for signature in draft.card.signatures}
    if len(found) != 1:
        return draft, None
    ((index, source),) = found.items()
    if draft.card.files[index].id in signed:
        return draft, None
    files = draft.card.files[:index] + draft.card.files[index + 1 :]
    card = replace(draft.card, files=files)
    return replace(draft, card=card, files=draft.files[:index] + draft.files[index + 1 :]), source.tree
