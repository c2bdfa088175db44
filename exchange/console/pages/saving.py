"""Views of the list of letters that a person saves: a filter under a name, seen and dropped by that person alone."""

from http import HTTPStatus

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.desk import desk_of
from exchange.console.pages.asking import ask_own, renderer_of, write_own
from exchange.console.pages.filters import ListFilter
from exchange.console.pages.forms import form_of, is_line, text_of
from exchange.console.pages.wording import _
from exchange.store.desk import saved
from exchange.store.desk.saved import SavedView

PAGE = "/letters"
NAME_CHARACTERS = 60

NAMELESS = _("Give the view a name of at most 60 characters.")
BARE = _("The list is not filtered: choose a filter first, then save it.")
TOO_MANY = _("You have 50 views: delete one first.")


async def saved_views(request: Request) -> tuple[SavedView, ...] | None:
    """The views of who asks; None where none can be saved."""
    if desk_of(request).own is None:
        return None
    login = signed_in(request).login
    return await ask_own(request, lambda connection: saved.listed(connection, login, PAGE))


@require()
async def save(request: Request) -> Response:
    """Keep the filter that the form carries, of which only what lists know; then show its list."""
    form, user = await form_of(request), signed_in(request)
    name = text_of(form, "name")
    filters = ListFilter.of(QueryParams(text_of(form, "query").removeprefix("?")))
    if not name or not is_line(name, NAME_CHARACTERS):
        return _refused(request, NAMELESS, name, filters)
    if not filters.words:
        return _refused(request, BARE, name, filters)
    view = SavedView(user.login, name, PAGE, filters.query(), desk_of(request).now())
    if not await write_own(request, lambda connection: saved.save(connection, view)):
        return _refused(request, TOO_MANY, name, filters)
    return RedirectResponse(f"{PAGE}{view.query}", HTTPStatus.SEE_OTHER)


@require()
async def delete(request: Request) -> Response:
    """Drop a view of one's own; the list stays as it is filtered."""
    form, user = await form_of(request), signed_in(request)
    name, filters = text_of(form, "name"), ListFilter.of(QueryParams(text_of(form, "query").removeprefix("?")))
    if not await write_own(request, lambda connection: saved.delete(connection, user.login, name)):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return RedirectResponse(f"{PAGE}{filters.query()}", HTTPStatus.SEE_OTHER)


ROUTES = (
    Route("/letters/views", save, methods=["POST"]),
    Route("/letters/views/delete", delete, methods=["POST"]),
)


def _refused(request: Request, problem: str, name: str, filters: ListFilter) -> Response:
    return renderer_of(request).page(
        request,
        "saved-refused.html",
        HTTPStatus.UNPROCESSABLE_ENTITY.value,
        problem=problem,
        name=name[: 2 * NAME_CHARACTERS],
        query=filters.query(),
        page=f"{PAGE}{filters.query()}",
    )
