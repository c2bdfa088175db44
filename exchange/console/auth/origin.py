"""Whether a request that changes something was made by a page of this console (OWASP: CSRF prevention).

Three things must hold, each of which another site fails by itself: the cookie is SameSite=Lax, the
browser says that the request comes from us, and the form or script brings the token of this session.
"""

from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import Message, Receive

from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.secret import same

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
FIELD = "csrf"
FORM_TYPE = "application/x-www-form-urlencoded"
FORM_BYTES = 64 * 1024
FIELDS_AT_MOST = 200


def require_own_origin(request: Request, origin: str) -> None:
    """Refuse what a page of another site sends.

    Browsers say where from: `Sec-Fetch-Site` wherever they trust the connection, else `Origin`. A page
    with our own referrer policy may say `Origin: null`, a page in a sandbox always does.

    Raises:
        AccessRefused: `request-foreign`.
    """
    site, said = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    is_ours = said == origin or (site == "same-origin" and said == "null")
    if not is_ours or site not in {None, "same-origin"}:
        message = "the request was not made by a page of this console: open the page here and send it from there"
        raise AccessRefused(message, code="request-foreign")


async def require_token(request: Request, expected: str) -> Receive:
    """Refuse a request that does not bring the session's token, by its header or its form's field.

    Args:
        request: nothing of its content has been read.
        expected: the token of the browser's session; empty when the browser holds none.

    Returns:
        What hands the content to the application, from its beginning.

    Raises:
        AccessRefused: `form-token-wrong`; `form-too-large`.
    """
    receive, given = request.receive, request.headers.get(HEADER, "")
    if not given and request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM_TYPE:
        content = await _content(request)
        receive, given = _again(content, request.receive), _field(content)
    if not expected or not same(given, expected):
        message = f"the form is of another session, or of none (field '{FIELD}'): open the page again and send it anew"
        raise AccessRefused(message, code="form-token-wrong")
    return receive


async def _content(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > FORM_BYTES:
            message = f"the form has more than {FORM_BYTES} bytes: send less"
            raise AccessRefused(message, code="form-too-large", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(content)


def _field(content: bytes) -> str:
    """The token in a form; empty when there are none or several."""
    try:
        fields = parse_qsl(content.decode("ascii"), max_num_fields=FIELDS_AT_MOST, keep_blank_values=True)
    except ValueError:
        return ""
    found = [value for name, value in fields if name == FIELD]
    return found[0] if len(found) == 1 else ""


def _again(content: bytes, rest: Receive) -> Receive:
    """What was read, once more; then whatever else happens to the connection."""
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await rest()

    return receive
