"""Enrolment: bodies on their way in, and the word of a second person; all of it without a script.

/enrolment          what waits, and the forms by which somebody asks
/enrolment/<case>   one body: its request, the steps, the keepers' next command; the second person's form
"""

import re
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.console.auth.visitor import require, signed_in
from exchange.console.cases import Case, Step, certificates_of
from exchange.console.desk import desk_of
from exchange.console.enrolment import CaseRefused, Enrolment
from exchange.console.pages import enrolment_words
from exchange.console.pages.asking import own_of, renderer_of
from exchange.console.pages.forms import form_of, text_of
from exchange.domain.directory import CertificateUse
from exchange.domain.ids import digest
from exchange.domain.user import Right
from exchange.security.enrolment import Request as BodyRequest
from exchange.security.enrolment_rules import key_digest
from exchange.settings.territory import territory
from exchange.store.desk.approvals import Verdict

_VERDICTS = {"approve": Verdict.APPROVED, "refuse": Verdict.DECLINED}
_NAME = re.compile(r"[0-9a-f]{16}")


@require(Right.APPROVE)
async def listed(request: Request) -> Response:
    """What waits, and what was decided."""
    return await _list(request)


@require(Right.APPROVE)
async def ask(request: Request) -> Response:
    """Ask for a second person's word: by a body's request, or for one that the keepers let in."""
    form, user, office = await form_of(request), signed_in(request), _office(request)
    reason = _lines(text_of(form, "reason"))
    try:
        if document := text_of(form, "request"):
            # A field has other line ends than the file, and none after the last line; the signature is of the file.
            name = await office.enter(user, f"{_lines(document)}\n", reason)
        else:
            name = await office.ask(user, text_of(form, "body"), reason)
    except CaseRefused as error:
        return await _list(request, error, reason)
    return RedirectResponse(f"/enrolment/{name}", HTTPStatus.SEE_OTHER)


@require(Right.APPROVE)
async def one(request: Request) -> Response:
    """One case."""
    return await _page(request, await _case(request))


@require(Right.APPROVE)
async def decide(request: Request) -> Response:
    """The second person's word."""
    case, form, user = await _case(request), await form_of(request), signed_in(request)
    remark = _lines(text_of(form, "reason"))
    try:
        verdict = _verdict(text_of(form, "act"))
        await _office(request).decide(user, case.approval.id, verdict, remark, text_of(form, "seen"))
    except CaseRefused as error:
        return await _page(request, await _case(request), error, remark)
    return RedirectResponse(f"/enrolment/{case.approval.id}", HTTPStatus.SEE_OTHER)


ROUTES = (
    Route("/enrolment", listed, methods=["GET"]),
    Route("/enrolment", ask, methods=["POST"]),
    Route("/enrolment/{case}", one, methods=["GET"]),
    Route("/enrolment/{case}", decide, methods=["POST"]),
)


async def _list(request: Request, error: CaseRefused | None = None, reason: str = "") -> Response:
    cases = await _office(request).cases()
    return renderer_of(request).page(
        request,
        "enrolment.html",
        HTTPStatus.OK.value if error is None else error.status.value,
        cases=cases,
        steps=Step,
        enrolment_words=enrolment_words,
        error=error,
        reason=reason,
    )


async def _case(request: Request) -> Case:
    """The case of the address.

    Raises:
        HTTPException: 404.
    """
    name = request.path_params["case"]
    if not _NAME.fullmatch(name):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    try:
        return await _office(request).case(name)
    except CaseRefused as error:
        raise HTTPException(error.status) from error


async def _page(request: Request, case: Case, error: CaseRefused | None = None, remark: str = "") -> Response:
    asked = case.request
    body = asked.body if asked else case.body
    return renderer_of(request).page(
        request,
        "enrolment-case.html",
        HTTPStatus.OK.value if error is None else error.status.value,
        case=case,
        approval=case.approval,
        body=body,
        place=territory().names.get(body.soate, "") if body else "",
        asked=asked,
        sha256=digest(case.approval.summary.encode()).hex() if case.approval.summary else "",
        listed=list(certificates_of(case.body)),
        keys=_keys(asked),
        steps=Step,
        enrolment_words=enrolment_words,
        commands=enrolment_words.commands(case),
        is_second=signed_in(request).login != case.approval.person,
        error=error,
        remark=remark,
    )


def _verdict(act: str) -> Verdict:
    """What a button means.

    Raises:
        CaseRefused: `enrolment-invalid`.
    """
    if act not in _VERDICTS:
        message = "act: is none that this form has: use the page's buttons"
        raise CaseRefused(message, code="enrolment-invalid")
    return _VERDICTS[act]


def _office(request: Request) -> Enrolment:
    return Enrolment(desk_of(request), own_of(request))


def _keys(asked: BodyRequest | None) -> list[tuple[CertificateUse, str]]:
    """SHA-256 of each key that a request names."""
    if asked is None:
        return []
    return [(use, key_digest(csr).hex()) for use, csr in asked.csrs.items()]


def _lines(text: str) -> str:
    """With line ends as everywhere; browsers send them in pairs."""
    return text.replace("\r\n", "\n")
