"""A letter that claims another sender than the one whose key signs it: what an intruder at a body could try."""

from datetime import datetime

from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import Outgoing, SubmissionProducer
from exchange.bus.topics import SUBMISSIONS
from exchange.domain.directory import Directory
from exchange.domain.ids import ORIGIN_BYTES, ZERO_DIGEST, lane_of
from exchange.domain.statement import Access, AckPolicy, Head, Letter, LetterKind, Signed, Urgency
from exchange.security.cades import Signer
from exchange.wire.records import encode


def forge(directory: Directory, claimed: str, recipient: str, signer: Signer, now: datetime) -> Signed:
    """A letter of `claimed` to `recipient`, signed with the key of `signer`, another body."""
    head = Head(directory.exchange, claimed, bytes(ORIGIN_BYTES), 1, ZERO_DIGEST, now)
    letter = Letter(
        head=head,
        message_id="forged",
        consignment_id="forged",
        kind=LetterKind.DOCUMENT,
        conversation="forged",
        in_reply_to=None,
        recipients=(recipient,),
        group=None,
        ack=AckPolicy.NONE,
        wanted=(),
        urgency=Urgency.IMMEDIATE,
        reply_due=None,
        access=Access.PUBLIC,
        seal=None,
        contents=(),
    )
    statement = encode(letter)
    return Signed(statement, signer.sign(statement, now), ())


async def submit(signed: Signed, kafka: KafkaSettings, claimed: str, lanes: int) -> None:
    """Write it where the letters of `claimed` go, as whoever `kafka` says; the broker lets every body do that."""
    async with SubmissionProducer(kafka) as producer:
        record = Outgoing(encode(signed), claimed.encode())
        await producer.send([record], topic=SUBMISSIONS, partition=lane_of(claimed, lanes))
