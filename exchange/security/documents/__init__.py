"""Documents' own signatures: detached CMS among a letter's files, reported and never judged by.

ber            the encoding, as others write it
signed_data    a signature file's structure
algorithms     what can be checked, and what is only named
certificates   those that come with a signature
anchors        who is trusted to vouch for signers
reason         the words of every report
verify         the steps, and the reports
"""

from exchange.security.documents.anchors import NOBODY, Anchors
from exchange.security.documents.reason import SignatureReason, SignatureStatus
from exchange.security.documents.verify import SignatureReport, signature_reports

__all__ = [
    "NOBODY",
    "Anchors",
    "SignatureReason",
    "SignatureReport",
    "SignatureStatus",
    "signature_reports",
]
