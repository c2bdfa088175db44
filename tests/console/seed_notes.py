"""What people wrote down beside the seeded letters: a note, a saved view, a body asked for, another refused."""

from dataclasses import replace
from datetime import timedelta

from exchange.security.enrolment import encode_request, make_request
from exchange.store.desk import approvals, notes, saved
from exchange.store.desk.approvals import Approval, Verdict
from exchange.store.desk.database import DeskStore
from exchange.store.desk.notes import Note, group_name
from exchange.store.desk.saved import SavedView
from tests.console.enrolling import CODE, new_body, new_keys
from tests.console.seed import FAILING, NOW, seeded_directory
from tests.console.seed_tasks import AUTHOR, SECOND

CASE = "ca5e" * 4
"""A body's way in that the author of tasks does not answer for: somebody else asked."""
REFUSED = "0ff" * 5 + "0"
ASKED_BEFORE = timedelta(hours=20)


def seed_notes(desk: DeskStore) -> DeskStore:
    """Fill a migrated desk; the same desk."""
    text = "Диск толгон, IT бөлүмү билет · Диск заполнен, их IT знает, обещали до обеда"
    note = Note(group_name("hand-over-failed", *FAILING), "Айгүл Токтогулова, 12-34", text, SECOND, NOW)
    view = SavedView(AUTHOR, "Минюст: срочные", "/letters", "?to=minjust&urgency=urgent", NOW)
    request = make_request(new_body(), seeded_directory().exchange, new_keys(), NOW - ASKED_BEFORE)
    document = encode_request(request).decode()
    reason = "12-3/45 кат; SHA-256 телефондон ырасталды · письмо 12-3/45, SHA-256 подтверждён по телефону"
    asked = Approval(CASE, "enrol", CODE, document, SECOND, reason, NOW - ASKED_BEFORE)
    refused = replace(asked, id=REFUSED, about="ayil-lebedinovka", summary="", person=AUTHOR)
    with desk.writing() as connection:
        notes.write(connection, note, None)
        saved.save(connection, view)
        for each in (asked, refused):
            approvals.ask(connection, each)
        approvals.decide(connection, REFUSED, SECOND, Verdict.DECLINED, "Телефон жооп бербейт · Телефон молчит", NOW)
    return desk
