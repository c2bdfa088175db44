"""Which letters go by paper, and until when they may: the way off it, body by body.

A letter goes by paper when one of its ends is carried by the paper bridge. What is asked then:

    sender        recipient     asked
    electronic    electronic    nothing: no sheet of paper is touched
    electronic    carried       does the recipient still take paper?
    carried       either        does the sender still send it, and does the recipient still take it?

So "the administration takes no paper from 1 March" is its `inbound`, and bars letters of carried bodies
to it; what it writes itself to a carried body is the recipient's to take. Receipts are never barred:
a letter accepted on the last day is registered later.
"""

from datetime import date, datetime, timedelta, timezone

from exchange.domain.decision import Refusal
from exchange.domain.directory import Body
from exchange.domain.reason import Reason

BISHKEK = timezone(timedelta(hours=6))
"""Asia/Bishkek without its tables: replay must find the same day on any machine, in twenty years."""


def day_of(moment: datetime) -> date:
    """The date in Bishkek."""
    return moment.astimezone(BISHKEK).date()


def goes_by_paper(sender: Body, recipient: Body) -> bool:
    """Whether a letter between the two is printed or scanned by the bridge."""
    return sender.carried or recipient.carried


def paper_refusal(sender: Body, recipient: Body, at: datetime) -> Refusal | None:
    """Why a letter of `sender` cannot go to `recipient` by paper at that time; None when it can, or need not."""
    if not goes_by_paper(sender, recipient):
        return None
    today = day_of(at)
    ends = None if sender.paper is None else sender.paper.outbound
    if sender.carried and not _is_open(ends, today):
        return Refusal(Reason.PAPER_NOT_SENT, f"'{sender.code}' sends none{_since(ends)} (its paper.outbound)")
    ends = None if recipient.paper is None else recipient.paper.inbound
    if not _is_open(ends, today):
        return Refusal(Reason.PAPER_NOT_TAKEN, f"'{recipient.code}' takes none{_since(ends)} (its paper.inbound)")
    return None


def _is_open(ends: date | None, today: date) -> bool:
    return ends is not None and today < ends


def _since(ends: date | None) -> str:
    return "" if ends is None else f" from {ends}"
