"""Reason codes: the one list of why a statement or a delivery did not go through."""

from enum import StrEnum


class Reason(StrEnum):
    """Stable code of a refusal or failure; texts and next steps stand in `TEXTS`."""

    # cannot be read: a dead letter, nothing moves
    OVERSIZED = "oversized"
    UNREADABLE = "unreadable"
    BATCH_REFUSED = "batch-refused"
    # the signature does not hold: nothing moves
    SIGNATURE_FORM = "signature-form"
    SIGNATURE_INVALID = "signature-invalid"
    STATEMENT_ALTERED = "statement-altered"
    SIGNER_UNKNOWN = "signer-unknown"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_YET_VALID = "certificate-not-yet-valid"
    CERTIFICATE_UNTRUSTED = "certificate-untrusted"
    CERTIFICATE_PURPOSE = "certificate-purpose"
    CERTIFICATE_REVOKED = "certificate-revoked"
    REVOCATION_STALE = "revocation-stale"
    # signed, but not this one's to say, or not now: nothing moves
    FOREIGN_EXCHANGE = "foreign-exchange"
    WRONG_SIGNER = "wrong-signer"
    WRONG_LANE = "wrong-lane"
    BODY_SUSPENDED = "body-suspended"
    ORIGIN_UNKNOWN = "origin-unknown"
    ORIGIN_CLOSED = "origin-closed"
    ORIGINS_EXHAUSTED = "origins-exhausted"
    PREDECESSOR_MISMATCH = "predecessor-mismatch"
    GAP = "gap"
    REPEAT = "repeat"
    CHAIN_BROKEN = "chain-broken"
    OVER_BUDGET = "over-budget"
    GROUP_VERSION_MISSING = "group-version-missing"
    # taken and refused: the number moves
    SCHEMA_UNKNOWN = "schema-unknown"
    STATEMENT_UNREADABLE = "statement-unreadable"
    NOT_CANONICAL = "not-canonical"
    KIND_FORBIDDEN = "kind-forbidden"
    CLOCK_AHEAD = "clock-ahead"
    RECIPIENT_MISSING = "recipient-missing"
    RECIPIENTS_TOO_MANY = "recipients-too-many"
    RECIPIENT_REPEATED = "recipient-repeated"
    RECIPIENT_UNKNOWN = "recipient-unknown"
    RECIPIENT_NOT_CONNECTED = "recipient-not-connected"
    PAPER_NOT_SENT = "paper-not-sent"
    PAPER_NOT_TAKEN = "paper-not-taken"
    RECIPIENT_FORBIDDEN = "recipient-forbidden"
    RECIPIENTS_AND_GROUP = "recipients-and-group"
    GROUP_INVALID = "group-invalid"
    GROUP_OUTDATED = "group-outdated"
    GROUP_TOO_LARGE = "group-too-large"
    CONTENT_MISMATCH = "content-mismatch"
    CONTENT_TOO_LARGE = "content-too-large"
    CONTENT_UNSUPPORTED = "content-unsupported"
    CARD_MISSING = "card-missing"
    CARD_UNREADABLE = "card-unreadable"
    SIGNATORY_MISSING = "signatory-missing"
    SIGNATURE_MISSING = "signature-missing"
    FAN_OUT_TOO_LARGE = "fan-out-too-large"
    EVENT_UNKNOWN = "event-unknown"
    COMMAND_INVALID = "command-invalid"
    REDRIVE_MISMATCH = "redrive-mismatch"
    # between agent and EDMS
    HAND_OVER_FAILED = "hand-over-failed"
    REFUSED_BY_RECIPIENT = "refused-by-recipient"
    EDMS_DOCUMENT_INVALID = "edms-document-invalid"
    # what was awaited did not come in time: beside the state, which goes on
    NOT_DELIVERED_IN_TIME = "not-delivered-in-time"
    NOT_HANDED_OVER_IN_TIME = "not-handed-over-in-time"
    NOT_REGISTERED_IN_TIME = "not-registered-in-time"
    NOT_ANSWERED_IN_TIME = "not-answered-in-time"


TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.OVERSIZED: ("the record is larger than 1 MB", "send less, or the large files by reference"),
    Reason.UNREADABLE: ("the bytes are no signed statement", "check what writes to the submissions topic"),
    Reason.BATCH_REFUSED: ("the batch is packed, or none that agents write", "submit uncompressed batches"),
    Reason.SIGNATURE_FORM: ("the signature is not in the one accepted form", "sign with the agent, or see rule 1.4"),
    Reason.SIGNATURE_INVALID: ("the signature does not hold", "sign the same statement again with the body's key"),
    Reason.STATEMENT_ALTERED: ("the signature is of other bytes", "send the bytes that were signed"),
    Reason.SIGNER_UNKNOWN: ("the directory lists no such certificate", "register the certificate, then sign again"),
    Reason.CERTIFICATE_EXPIRED: ("the certificate has expired", "sign the same statement with the present key"),
    Reason.CERTIFICATE_NOT_YET_VALID: ("the certificate is not valid yet", "wait, or sign with the present key"),
    Reason.CERTIFICATE_UNTRUSTED: ("the certificate leads to no trusted root", "use a certificate of this exchange"),
    Reason.CERTIFICATE_PURPOSE: ("the certificate is not for statements", "sign with the statement key"),
    Reason.CERTIFICATE_REVOKED: ("the certificate was revoked", "sign the same statement with the present key"),
    Reason.REVOCATION_STALE: (
        "the issuer's revocation list is overdue",
        "nothing to do: it goes on with the next list",
    ),
    Reason.FOREIGN_EXCHANGE: ("the statement belongs to another exchange", "check `[directory] root` of the agent"),
    Reason.WRONG_SIGNER: ("signed by another body than the head's", "each body signs its own statements"),
    Reason.WRONG_LANE: ("in another partition than the body's lane", "write to the partition of the body's lane"),
    Reason.BODY_SUSPENDED: ("the sending body is not connected", "ask the directory's operators"),
    Reason.ORIGIN_UNKNOWN: ("the origin was never opened", "begin with statement number 1, an open"),
    Reason.ORIGIN_CLOSED: ("a later origin continues this one", "open a new origin"),
    Reason.ORIGINS_EXHAUSTED: ("the body has 8 open origins, or opened 10,000", "name a predecessor in the open"),
    Reason.PREDECESSOR_MISMATCH: ("the named predecessor is not as stated", "open without it, or with its true end"),
    Reason.GAP: ("numbers before this one are missing", "send from the expected number on"),
    Reason.REPEAT: ("this number was taken before", "nothing to do: compare the digest in the notice"),
    Reason.CHAIN_BROKEN: ("the previous digest is not that of the number taken last", "open a new origin"),
    Reason.OVER_BUDGET: ("the body's share of the lane is used up", "send again from the expected number, slower"),
    Reason.GROUP_VERSION_MISSING: (
        "the router lacks the directory that the group names",
        "wait: it is sent again",
    ),
    Reason.SCHEMA_UNKNOWN: ("the statement's schema is not known here", "send a version that the exchange knows"),
    Reason.STATEMENT_UNREADABLE: ("the statement does not decode", "build statements with the agent or the client"),
    Reason.NOT_CANONICAL: ("the statement is not in the canonical encoding", "encode with plain Avro blocks"),
    Reason.KIND_FORBIDDEN: ("a body may not say this kind of statement", "send letter, receipt, open or void"),
    Reason.CLOCK_AHEAD: ("created more than 5 minutes in the future", "set the sender's clock, then send again"),
    Reason.RECIPIENT_MISSING: ("the letter has no recipient", "name at least one body"),
    Reason.RECIPIENTS_TOO_MANY: ("more than 64 recipients", "use a group, or several letters"),
    Reason.RECIPIENT_REPEATED: ("a recipient is named twice", "name each body once"),
    Reason.RECIPIENT_UNKNOWN: ("a recipient is not in the directory", "look its code up in the directory"),
    Reason.RECIPIENT_NOT_CONNECTED: ("a recipient is not connected", "send on paper, or wait until it is"),
    Reason.PAPER_NOT_SENT: ("the sender may not write on paper any more", "connect it to the exchange, then send"),
    Reason.PAPER_NOT_TAKEN: ("a recipient takes no paper any more", "send electronically, once both are connected"),
    Reason.RECIPIENT_FORBIDDEN: ("the policy does not let the sender write to a recipient", "leave it out"),
    Reason.RECIPIENTS_AND_GROUP: ("the letter names both recipients and a group", "name one of the two"),
    Reason.GROUP_INVALID: (
        "the group's expression cannot be read, or has more than 64 items",
        "correct it at the character named",
    ),
    Reason.GROUP_OUTDATED: ("the group's version of the directory is too far from the one in force", "send it again"),
    Reason.GROUP_TOO_LARGE: ("the codes of the group do not fit into a journal entry", "send to smaller groups"),
    Reason.CONTENT_MISMATCH: ("contents and commitments differ", "send exactly the items that were signed"),
    Reason.CONTENT_TOO_LARGE: ("inline contents are larger than 512 KB", "send fewer or smaller files"),
    Reason.CONTENT_UNSUPPORTED: ("only inline contents are carried yet", "send the items inline"),
    Reason.CARD_MISSING: ("the letter has no card", "item 0 of the contents is the card"),
    Reason.CARD_UNREADABLE: ("the card does not decode", "encode the card with a released schema"),
    Reason.SIGNATORY_MISSING: ("a document of this kind must name who signed it", "name the signatory"),
    Reason.SIGNATURE_MISSING: ("a document of this kind must carry a person's signature", "have it signed"),
    Reason.FAN_OUT_TOO_LARGE: ("record times recipients is over 32 MB", "send in several letters"),
    Reason.EVENT_UNKNOWN: ("not an event that a body can state", "see the list of receipt events"),
    Reason.COMMAND_INVALID: ("a deadline or command breaks its form", "correct the field named, then say it again"),
    Reason.REDRIVE_MISMATCH: (
        "a redrive carries something else than the accepted letter that it names",
        "read the letter from the journal again",
    ),
    Reason.HAND_OVER_FAILED: (
        "the recipient's EDMS did not take the letter",
        "have the recipient mend its EDMS, then redeliver the letter",
    ),
    Reason.REFUSED_BY_RECIPIENT: ("the recipient refused to register the letter", "read its reason"),
    Reason.EDMS_DOCUMENT_INVALID: ("the EDMS document breaks its format", "correct the field named and send again"),
    Reason.NOT_DELIVERED_IN_TIME: (
        "the recipient's agent did not fetch the letter in time",
        "see that the agent runs and reaches the exchange",
    ),
    Reason.NOT_HANDED_OVER_IN_TIME: (
        "the recipient's document system did not take the letter in time",
        "see why the agent cannot hand it over",
    ),
    Reason.NOT_REGISTERED_IN_TIME: (
        "the recipient did not register the letter in time",
        "ask the recipient's registry",
    ),
    Reason.NOT_ANSWERED_IN_TIME: ("the recipient did not answer in time", "ask the recipient who works on it"),
}


def text(reason: Reason) -> str:
    """What happened and what to do next, in one sentence each."""
    happened, step = TEXTS[reason]
    return f"{happened}; {step}"
