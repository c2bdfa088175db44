"""The clerk's desk: what was printed for which body, and the receipts that go back.

It works on the folders of the bridge's bodies as the folder connector leaves them, one for each body.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from adapters.connectors.durable import connector_errors, discard, make_folder, move, sync_folder, write_file
from adapters.paper.format import RECEIPT
from adapters.paper.slip import RECORD, Slip, read_code
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event


@dataclass(frozen=True, slots=True)
class Delivery:
    """A printed letter: its slip, the folder with its page, when that was made, and whether it has a receipt."""

    slip: Slip
    folder: Path
    handed: datetime
    closed: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What the clerk says of a letter; a refusal has a reason, a registration a number and perhaps a date."""

    event: Event
    at: datetime
    clerk: str
    number: str = ""
    day: date | None = None
    reason: str = ""


class Desk:
    """Looks at printed letters and closes their deliveries; beside a running agent, for one clerk at a time."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Work on the EDMS folders of carried bodies, by code."""
        self._folders = folders

    def deliveries(self) -> Iterator[Delivery]:
        """All printed letters that still lie there, by body, the oldest first.

        Raises:
            ConnectorError: a folder cannot be read.
            DocumentError: `document-invalid`: a record was altered.
        """
        for _, root in sorted(self._folders.items()):
            with connector_errors("looking at printed letters"):
                closed = {path.name for folder in ("out", "sent/*") for path in root.glob(f"{folder}/{_named('*')}")}
                records = sorted(root.glob(f"in/*/{RECORD}"), key=lambda path: (path.stat().st_mtime_ns, path))
                for record in records:
                    handed = datetime.fromtimestamp(record.stat().st_mtime, UTC)
                    slip = Slip.decode(record.read_bytes(), str(record))
                    yield Delivery(slip, record.parent, handed, _named(slip.letter) in closed)

    def find(self, code: str) -> Delivery:
        """The printed letter that a QR code names.

        Raises:
            DocumentError: `paper-code-unreadable`; `paper-letter-unknown`: nothing of it was printed here.
            ConnectorError: as `deliveries`.
        """
        recipient, letter = read_code(code)
        folders = {recipient: self._folders[recipient]} if recipient in self._folders else {}
        for delivery in Desk(folders).deliveries():
            if delivery.slip.letter == letter:
                return delivery
        message = f"no letter {letter[:8]} was printed for '{recipient}' here: is it another bridge's?"
        raise DocumentError(message, code="paper-letter-unknown")

    def close(self, delivery: Delivery, said: Said) -> None:
        """Give the agent the receipt that closes a delivery.

        Raises:
            DocumentError: `paper-closed-before`.
            ConnectorError: it cannot be written.
        """
        slip = delivery.slip
        if delivery.closed:
            message = f"the delivery of {slip.letter[:8]} is closed: a later word goes by `exchange send`"
            raise DocumentError(message, code="paper-closed-before")
        out = self._folders[slip.recipient] / "out"
        draft, shown = out / f"{_named(slip.letter)}.tmp", out / _named(slip.letter)
        with connector_errors("writing a receipt"):
            discard(draft)
            make_folder(draft)
            write_file(draft / RECEIPT, _encode(slip, said))
            sync_folder(draft)
            move(draft, shown)


def _encode(slip: Slip, said: Said) -> bytes:
    record = {
        "event": said.event.value,
        "at": said.at.isoformat(),
        "sender": slip.sender,
        "message_id": slip.message_id,
        "document_id": slip.document_id,
        "reg_number": said.number,
        "reg_date": "" if said.day is None else said.day.isoformat(),
        "reason": said.reason,
        "clerk": said.clerk,
    }
    return f"{json.dumps(record, ensure_ascii=False, indent=1)}\n".encode()


def _named(letter: str) -> str:
    """Name of the package that closes the delivery of a letter."""
    return f"received-{letter}"
