"""Checks that auditors make on their own machines: kept in the journal like those that they make at the console.

Nothing is checked here. That it was done, and what came of it, is the auditor's own word, under the name of the token;
the outcome is true if whoever does the same finds the same.
"""

import hashlib

import msgspec
from starlette.responses import Response

from exchange.console.api.asking import PRIVATE, Asked, content
from exchange.console.api.audits_model import AuditSaid, AuditTold
from exchange.console.api.parameters import Query
from exchange.console.auth.acts import Act
from exchange.console.auth.visitor import signed_in
from exchange.domain.user import Right
from exchange.services.http.openapi import JSON

_TASK_DIGITS = 32


async def audits(asked: Asked[Query]) -> Response:
    """Keep what an auditor is about to do, or what came of it; the same said again is the same act."""
    signed_in(asked.request, Right.REPLAY)
    said = await content(asked.request, AuditSaid, "audit-invalid")
    action, detail = said.kind.action, said.scope
    if said.outcome:
        action, detail = said.kind.result, f"{said.scope}: {said.outcome}"
    task = _task(asked.user.login, said.key)
    letter = None if said.letter is None else bytes.fromhex(said.letter)
    await asked.desk.acts.record(
        Act(action, asked.user.login, task=task, reason=said.reason, detail=detail, letter=letter)
    )
    told = AuditTold(task=task, action=action, person=asked.user.login)
    return Response(msgspec.json.encode(told), headers=PRIVATE, media_type=JSON)


def _task(login: str, key: str) -> str:
    """An id that nobody else's key leads to: one auditor cannot end what another began, nor take its place."""
    return hashlib.sha256(f"{login}\0{key}".encode()).hexdigest()[:_TASK_DIGITS]
