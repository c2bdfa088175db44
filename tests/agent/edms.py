"""A document system in memory: a connector that keeps its promises, and a format of plain JSON.

It outlives the agent, as a real one does. `step` is told of each step before (`stage`) and after
(`staged`) it is done, so that a test can end the agent in between.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from exchange.agent.ports import (
    ArrivedLetter,
    ArrivedReceipt,
    DraftLetter,
    DraftReceipt,
    Format,
    Package,
)
from exchange.domain.card import FileInfo, FileRole
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.domain.statement import Access, AckPolicy, LetterKind, Urgency
from tests.agent.simulator import Step, carry_on
from tests.world import letter_card, receipt_card


class PlainFormat:
    """Letters and receipts as one JSON file each."""

    name = "plain"

    def parse(self, package: Package, directory: Directory) -> DraftLetter | DraftReceipt:
        """See `Format`."""
        assert directory.version
        try:
            said = json.loads(package.files["said.json"])
            return plain_letter(**said["letter"]) if "letter" in said else plain_receipt(**said["receipt"])
        except (KeyError, TypeError, ValueError) as error:
            message = "is no letter and no receipt"
            raise DocumentError(message, place="said.json") from error

    def render_letter(self, arrived: ArrivedLetter, recipient: str, directory: Directory) -> Package:
        """See `Format`."""
        assert directory.version
        if arrived.card.title == "unreadable":
            message = "the format has no room for this"
            raise DocumentError(message, place="title")
        said = {"message_id": arrived.letter.message_id, "to": recipient, "from": arrived.sender}
        return Package(arrived.digest.hex(), {"letter.json": json.dumps(said).encode()})

    def render_receipt(self, arrived: ArrivedReceipt, recipient: str, directory: Directory) -> Package | None:
        """See `Format`."""
        assert directory.version
        if arrived.event is Event.HANDED_OVER:
            return None
        said = {
            "message_id": arrived.message_id,
            "to": recipient,
            "actor": arrived.actor,
            "event": arrived.event.value,
            "reason": arrived.reason,
            "reg_number": arrived.card.reg_number if arrived.card else "",
        }
        return Package(arrived.digest.hex(), {"receipt.json": json.dumps(said).encode()})


@dataclass
class MemoryEdms:
    """What a folder connector has on disk."""

    step: Step = carry_on
    failure: Exception | None = None
    format: Format = field(default_factory=PlainFormat)
    waiting: dict[str, Package] = field(default_factory=dict)
    archived: list[str] = field(default_factory=list)
    quarantined: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, Package] = field(default_factory=dict)
    shown: Counter[str] = field(default_factory=Counter)
    packages: list[Package] = field(default_factory=list)

    def put(self, package: Package) -> None:
        """The EDMS wants this sent."""
        self.waiting[package.name] = package

    def collect(self, limit: int) -> Iterator[Package]:
        """See `Connector`."""
        self._may_fail()
        yield from list(self.waiting.values())[:limit]

    def archive(self, name: str) -> None:
        """See `Connector`."""
        self.step("archive")
        self.waiting.pop(name, None)
        self.archived.append(name)
        self.step("archived")

    def quarantine(self, name: str, problem: str, code: str) -> None:
        """See `Connector`."""
        self.waiting.pop(name, None)
        self.quarantined[name] = f"{problem}\n({code})\n"

    def stage(self, key: str, package: Package) -> None:
        """See `Connector`."""
        self._may_fail()
        self.step("stage")
        self.hidden[key] = package
        self.step("staged")

    def publish(self, key: str) -> None:
        """See `Connector`."""
        self.step("publish")
        if key in self.hidden:
            self.shown[key] += 1
            self.packages.append(self.hidden.pop(key))
        self.step("published")

    def _may_fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def plain_letter(
    message_id: str, *recipients: str, to: str = "", data: bytes | str = b"made up", ack: str = "ALWAYS", **card: object
) -> DraftLetter:
    """A letter with one file; `card` gives fields of the card, and of the draft where it has such."""
    body = data.encode() if isinstance(data, str) else data
    info = FileInfo("f1", "letter.pdf", "application/pdf", len(body), digest(body), FileRole.MAIN)
    replies = {name: str(card.pop(name, "")) for name in ("in_reply_to", "in_reply_to_number")}
    return DraftLetter(
        message_id=message_id,
        consignment_id="",
        kind=LetterKind.DOCUMENT,
        conversation="",
        recipients=recipients or tuple(to.split()),
        ack=AckPolicy(ack),
        wanted=(),
        urgency=Urgency.ROUTINE,
        reply_due=None,
        access=Access.PUBLIC,
        card=letter_card(document_id=str(card.pop("document_id", f"doc-{message_id}")), files=(info,), **card),
        files=(body,),
        in_reply_to=replies["in_reply_to"],
        in_reply_to_number=replies["in_reply_to_number"],
    )


def plain_receipt(event: str, at: str, reason: str = "", addressee: str = "", **card: object) -> DraftReceipt:
    """What an EDMS says about a letter."""
    return DraftReceipt(Event(event), datetime.fromisoformat(at), reason, receipt_card(**card), addressee)


def letter_package(name: str, **said: object) -> Package:
    """A package that says a letter."""
    return Package(name, {"said.json": json.dumps({"letter": said}).encode()})


def receipt_package(name: str, **said: object) -> Package:
    """A package that says a receipt."""
    return Package(name, {"said.json": json.dumps({"receipt": said}).encode()})


def told(edms: MemoryEdms) -> list[tuple[str, str]]:
    """Message id and event of every receipt that was shown, in order."""
    found = [json.loads(package.files["receipt.json"]) for package in edms.packages if "receipt.json" in package.files]
    return [(said["message_id"], said["event"]) for said in found]


def given(edms: MemoryEdms) -> list[str]:
    """Message ids of the letters that were shown, in order, repeats too."""
    found = [json.loads(package.files["letter.json"]) for package in edms.packages if "letter.json" in package.files]
    return [said["message_id"] for said in found]
