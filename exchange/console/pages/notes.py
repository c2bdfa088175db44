"""Notes on groups of failures: who looks after one, and what is known of it. Operators write, auditors read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.acts import Act
from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask_own, renderer_of, write_own
from exchange.console.pages.forms import form_of, is_line, is_prose, text_of
from exchange.console.pages.wording import _
from exchange.domain.user import Right, User
from exchange.services.http.problems import ApiRefused
from exchange.store.desk import notes
from exchange.store.desk.notes import Note, group_name
from exchange.store.overviews import FailureGroup

OWNER_CHARACTERS = 80
TEXT_CHARACTERS = 500
_PART_CHARACTERS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of failures as an address names it; `reason` may be empty."""

    reason: str
    sender: str
    recipient: str

    @classmethod
    def of(cls, said: QueryParams | FormData) -> "Group":
        """Read an address, or the fields of a form.

        Raises:
            HTTPException: 404: it names none.
        """
        parts = [str(said.get(name, "")) for name in ("reason", "from", "to")]
        if not all(is_line(part, _PART_CHARACTERS) for part in parts) or not parts[1]:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return cls(*parts)

    @property
    def name(self) -> str:
        """By which its note is kept, and the query of its page."""
        return group_name(self.reason, self.sender, self.recipient)


def name_of(group: FailureGroup) -> str:
    """By which a group's note is kept: states of one reason and route have one note."""
    return group_name(group.reason, group.sender, group.recipient)


async def notes_of(request: Request, user: User, groups: Iterable[FailureGroup]) -> Mapping[str, Note]:
    """The notes of groups, by name: none for who sees one body only, and none where nobody can write any."""
    if desk_of(request).own is None or not user.may(Right.SEE_ALL):
        return {}
    names = {name_of(group) for group in groups}
    return await ask_own(request, lambda connection: notes.of_groups(connection, names))


async def noted(request: Request, groups: Iterable[FailureGroup]) -> Mapping[str, object]:
    """What the page of failures shows of notes, by the names that its template knows."""
    found = await notes_of(request, signed_in(request), groups)
    return {"notes": found, "note_name": name_of, "has_notes": desk_of(request).own is not None}


@require(Right.REDRIVE)
async def edit(request: Request) -> Response:
    """The form."""
    group = Group.of(request.query_params)
    return _form(request, group, await _note(request, group))


@require(Right.REDRIVE)
async def write(request: Request) -> Response:
    """Keep what was written, unless somebody else wrote meanwhile."""
    form, user, at = await form_of(request), signed_in(request), desk_of(request).now()
    group, before = Group.of(form), _seen(text_of(form, "seen"))
    owner, text = text_of(form, "owner"), text_of(form, "text").replace("\r\n", "\n")
    note = Note(group.name, owner, text, user.login, at)
    problems = []
    if not is_line(owner, OWNER_CHARACTERS):
        problems.append(("f-owner", _("Owner: one line of at most 80 characters.")))
    if not is_prose(text, TEXT_CHARACTERS):
        problems.append(("f-text", _("Note: at most 500 characters.")))
    if problems:
        return _form(request, group, note, problems, before)
    last = await _note(request, group)
    if (last.changed if last else None) != before:
        raise _overtaken()
    detail = f"{group.name}; owner {owner or 'nobody'}"
    await desk_of(request).acts.record(Act("note", user.login, reason=text, detail=detail))
    if not await write_own(request, lambda connection: notes.write(connection, note, before)):
        raise _overtaken()
    return RedirectResponse("/failures", HTTPStatus.SEE_OTHER)


ROUTES = (
    Route("/failures/note", edit, methods=["GET"]),
    Route("/failures/note", write, methods=["POST"]),
)


async def _note(request: Request, group: Group) -> Note | None:
    found = await ask_own(request, lambda connection: notes.of_groups(connection, [group.name]))
    return found.get(group.name)


def _form(
    request: Request,
    group: Group,
    note: Note | None,
    problems: Iterable[tuple[str, str]] = (),
    before: datetime | None = None,
) -> Response:
    """The page; `problems` are of what was sent, and then `before` is what the writer saw."""
    seen = before if problems else note.changed if note else None
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return renderer_of(request).page(
        request,
        "note.html",
        status.value,
        group=group,
        note=note,
        problems=problems,
        seen="" if seen is None else (seen - _EPOCH) // _MICROSECOND,
        owner_characters=OWNER_CHARACTERS,
        text_characters=TEXT_CHARACTERS,
    )


def _seen(text: str) -> datetime | None:
    """When the note that the form was made of was changed; what is no time is none that can be there."""
    if not text:
        return None
    return _EPOCH + int(text) * _MICROSECOND if text.isascii() and text.isdigit() and len(text) < _DIGITS else _EPOCH


_DIGITS = 17


def _overtaken() -> ApiRefused:
    message = "somebody wrote this note meanwhile: look at it again, then write"
    return ApiRefused(message, status=HTTPStatus.CONFLICT, code="note-overtaken")
