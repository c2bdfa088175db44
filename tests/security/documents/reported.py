"""What is reported of one signature file, as a letter brings it."""

from datetime import datetime

from adapters.formats.files import file_info
from exchange.domain.card import DocumentSignature, FileRole, LetterCard, Person
from exchange.security.documents import Anchors, SignatureReport, signature_reports


def reports_on(content: bytes, cms: bytes, anchors: Anchors, now: datetime) -> tuple[SignatureReport, ...]:
    """Reports on all signers of a letter's one signature.

    Args:
        content: the signed file.
        cms: the signature file.
        anchors: as in `signature_reports`.
        now: as in `signature_reports`.
    """
    files = (file_info("0", "letter", content, FileRole.MAIN), file_info("1", "letter.p7s", cms, FileRole.DATA))
    card = LetterCard(files=files, signatures=(DocumentSignature("0", "letter.p7s", Person()),))
    return signature_reports(card, (content, cms), anchors, now)
