"""A small world for tests and benches: an exchange with bodies whose keys we hold, and what they say."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import MappingProxyType

from cryptography.hazmat.primitives import serialization

from exchange.domain.card import FileInfo, FileRole, LetterCard, ReceiptCard
from exchange.domain.directory import (
    Body,
    BodyStatus,
    CertificateUse,
    Directory,
    ListedCertificate,
    Names,
)
from exchange.domain.entry import OWN_KIND
from exchange.domain.event import Event
from exchange.domain.ids import ORIGIN_BYTES, ZERO_DIGEST, digest
from exchange.domain.own_bodies import SERVICE_BODIES, lane_in
from exchange.domain.policy import Policy, parse_policy
from exchange.domain.statement import (
    SALT_BYTES,
    Access,
    AckPolicy,
    Command,
    Content,
    Deadline,
    Head,
    Letter,
    LetterKind,
    Open,
    Predecessor,
    Receipt,
    Signed,
    Statement,
    Urgency,
    Void,
    commit,
)
from exchange.journal.commands import JOURNALLED_MEDIA_TYPE
from exchange.journal.examine import Ground, Submission
from exchange.journal.judge import CARD_MEDIA_TYPE
from exchange.resources import resource
from exchange.security.authority import Authority
from exchange.security.cades import Signer
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.metadata import TIMESTAMP
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import load_certificate, load_key_pair
from exchange.security.trust import Trust
from exchange.wire.records import encode

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BODIES = ("alpha", "beta", "gamma")


def letter_card(**changes: object) -> LetterCard:
    """A card with little in it but what `changes` say."""
    card = LetterCard(
        document_id="doc-1",
        kind="Письмо",
        reg_number="01-5/123",
        reg_date=NOW.date(),
        title="О переходе",
        language="ru",
    )
    return dataclasses.replace(card, **changes)  # type: ignore[arg-type]  # fields by name, as tests need them


def described(files: Iterable[bytes]) -> tuple[FileInfo, ...]:
    """Files as the card of their letter describes them."""
    return tuple(
        FileInfo(f"f{index}", f"{index}.pdf", "application/pdf", len(data), digest(data), FileRole.MAIN)
        for index, data in enumerate(files, start=1)
    )


def receipt_card(**changes: object) -> ReceiptCard:
    """A receipt's card with nothing in it but what `changes` say."""
    return ReceiptCard(**changes)  # type: ignore[arg-type]  # fields by name, as tests need them


@dataclass
class Speaker:
    """A body that says statements in order from one origin; `last` and `number` may be bent by tests."""

    exchange: bytes
    body: str
    signer: Signer
    origin: bytes
    random: Random
    now: datetime = NOW
    number: int = 0
    last: bytes = ZERO_DIGEST

    def head(self, created: datetime | None = None) -> Head:
        """The next statement's head; `created` when it is another time than now."""
        return Head(self.exchange, self.body, self.origin, self.number + 1, self.last, created or self.now)

    def sign(self, statement: Statement, contents: Iterable[Content] = ()) -> Signed:
        """Encode, sign and count a statement."""
        return self.sign_bytes(encode(statement), contents)

    def sign_bytes(self, statement: bytes, contents: Iterable[Content] = ()) -> Signed:
        """Sign any bytes and count them as the statement said last."""
        self.number += 1
        self.last = digest(statement)
        return Signed(statement, self.signer.sign(statement, self.now), tuple(contents))

    def open(self, predecessor: Predecessor | None = None) -> Signed:
        """Number 1."""
        return self.sign(Open(self.head(), predecessor))

    def void(self, replaced: bytes = ZERO_DIGEST) -> Signed:
        """A void."""
        return self.sign(Void(self.head(), replaced, "oversized"))

    def letter(
        self,
        *recipients: str,
        message_id: str = "m-1",
        files: tuple[bytes, ...] = (b"%PDF-1.4 made up",),
        card: LetterCard | None = None,
        **changes: object,
    ) -> Signed:
        """A letter to `recipients`; `changes` replace fields of the statement after it was made."""
        datas = (encode(card or letter_card(files=described(files))), *files)
        contents = tuple(Content(self.random.randbytes(SALT_BYTES), data) for data in datas)
        types = (CARD_MEDIA_TYPE, *["application/pdf"] * len(files))
        letter = Letter(
            head=self.head(),
            message_id=message_id,
            consignment_id=message_id,
            kind=LetterKind.DOCUMENT,
            conversation=message_id,
            in_reply_to=None,
            recipients=recipients,
            group=None,
            ack=AckPolicy.ALWAYS,
            wanted=(),
            urgency=Urgency.ROUTINE,
            reply_due=None,
            access=Access.PUBLIC,
            seal=None,
            contents=tuple(commit(content, kind) for content, kind in zip(contents, types, strict=True)),
        )
        return self.sign(dataclasses.replace(letter, **changes), contents)  # type: ignore[arg-type]

    def receipt(
        self, letter: Signed, sender: str, event: str = Event.REGISTERED, card: ReceiptCard | None = None
    ) -> Signed:
        """A receipt for `letter` of `sender`."""
        contents = () if card is None else (Content(self.random.randbytes(SALT_BYTES), encode(card)),)
        commitments = tuple(commit(content, CARD_MEDIA_TYPE) for content in contents)
        return self.sign(Receipt(self.head(), letter.digest, sender, event, self.now, "", commitments), contents)

    def deadline(self, letter: Signed, sender: str, recipient: str, /, **changes: object) -> Signed:
        """That a letter was not registered in time; both are told. `changes` replace fields."""
        said = Deadline(
            head=self.head(),
            letter=letter.digest,
            sender=sender,
            recipient=recipient,
            stage="register",
            due=self.now,
            through=self.now + timedelta(seconds=1),
            policy=digest(b"policy"),
            notify=(sender, recipient),
        )
        return self.sign(dataclasses.replace(said, **changes))  # type: ignore[arg-type]

    def redrive(self, letter: Signed, recipient: str, record: bytes, /, **changes: object) -> Signed:
        """An operator has a letter handed over again; `record` is what the journal has of it."""
        content = Content(self.random.randbytes(SALT_BYTES), record)
        said = Command(
            head=self.head(),
            action="redrive",
            task="t-1",
            person="asanova",
            second="osmonov",
            reason="the document system lost it",
            detail="1 of 1",
            letter=letter.digest,
            recipient=recipient,
            contents=(commit(content, JOURNALLED_MEDIA_TYPE),),
        )
        return self.sign(dataclasses.replace(said, **changes), (content,))  # type: ignore[arg-type]

    def act(self, action: str = "sign-in", **changes: object) -> Signed:
        """An operator's act that only stands in the journal."""
        said = Command(self.head(), action, "t-2", "asanova", "", "", "", None, "", ())
        return self.sign(dataclasses.replace(said, **changes))  # type: ignore[arg-type]


@dataclass
class World:
    """An authority in a folder, a directory of the bodies, and the ground that decisions stand on."""

    folder: Path
    bodies: tuple[str, ...] = BODIES
    lanes: int = 2
    journal_partitions: int = 2
    now: datetime = NOW
    random: Random = field(default_factory=lambda: Random(7))

    def __post_init__(self) -> None:
        """Issue certificates and make directory version 1."""
        self.authority = Authority(self.folder, now=self.now - timedelta(days=1))
        self.root = self.authority.directory.found(self.now)
        self.signers = {code: self._signer(code) for code in self.bodies}
        self.policy: Policy = parse_policy(resource("config", "policy.toml").read_bytes())
        self.directory = self._directory()
        self.ground = Ground(self.directory, self.policy, Trust(self.directory))

    def speaker(self, body: str, signer: Signer | None = None) -> Speaker:
        """A body with a fresh origin; `signer` when it signs with another key than its own."""
        origin = self.random.randbytes(ORIGIN_BYTES)
        return Speaker(self.directory.exchange, body, signer or self.signers[body], origin, self.random, now=self.now)

    def submission(self, signed: Signed, offset: int = 0, body: str = "alpha") -> Submission:
        """The submissions record of `body` that carries `signed`."""
        return Submission(lane_in(self.directory, body), offset, self.now, encode(signed))

    @property
    def all_lanes(self) -> int:
        """Lanes of the bodies, and that of commands where there is a service to say any."""
        return self.lanes + (1 if SERVICE_BODIES & set(self.bodies) else 0)

    def _signer(self, code: str) -> Signer:
        pair = load_key_pair(self.authority.body(code).statement)
        return Signer(pair.certificate, pair.key)

    def _directory(self) -> Directory:
        bodies = {
            code: Body(
                code,
                Names(code, code, code),
                OWN_KIND if code in SERVICE_BODIES else "ministry",
                BodyStatus.CONNECTED,
                uids=(f"uid-{code}",),
                certificates=(
                    ListedCertificate(
                        signer.certificate.public_bytes(serialization.Encoding.DER), CertificateUse.STATEMENT
                    ),
                ),
            )
            for code, signer in self.signers.items()
        }
        directory = Directory(
            exchange=digest(self.root),
            version=1,
            digest=ZERO_DIGEST,
            previous=ZERO_DIGEST,
            issued=self.now,
            lanes=self.lanes,
            journal_partitions=self.journal_partitions,
            issuers=(load_certificate(self.authority.statement_root).public_bytes(serialization.Encoding.DER),),
            bodies=MappingProxyType(bodies),
        )
        return dataclasses.replace(directory, digest=digest(b"not published"))

    def publish(self, folder: Path) -> DirectoryFolder:
        """Publish the world's directory as version 1, unless it is; the world stands on it from then on."""
        self.published = DirectoryFolder(folder, self.root)
        if not (folder / TIMESTAMP).exists():
            first = dataclasses.replace(self.directory, digest=ZERO_DIGEST)
            DirectoryPublisher(self.published).publish(first, self.authority.directory.publishing(), self.now)
        self._stand_on(self.published.latest())
        return self.published

    def change(self, *bodies: Body) -> Ground:
        """Publish the next version, with these bodies new or changed; the world stands on it from then on."""
        changed = {**self.directory.bodies, **{body.code: body for body in bodies}}
        publisher, keys = DirectoryPublisher(self.published), self.authority.directory.publishing()
        self._stand_on(publisher.publish(successor(self.directory, changed, self.now), keys, self.now))
        return self.ground

    def version(self, number: int) -> Directory | None:
        """A version that was published."""
        try:
            return self.published.version(number)
        except DirectoryRefused:
            return None

    def _stand_on(self, directory: Directory) -> None:
        self.directory = directory
        self.ground = Ground(directory, self.policy, Trust(directory), self.version)
