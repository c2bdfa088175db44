"""How bodies come into the directory: planned by a list, let in by their request."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from exchange import system
from exchange.cli.directory.drafts import Desk, Done
from exchange.cli.directory.entering import Reason, entering
from exchange.cli.problems import require_none
from exchange.domain.directory import Body, BodyStatus, Directory
from exchange.domain.errors import ConfigurationError
from exchange.domain.ids import digest
from exchange.domain.planned import read_plan
from exchange.security.authority import Authority
from exchange.security.enrolment import Answer, decode_request, encode_answer, entry_of
from exchange.security.enrolment_rules import examine_request, keys_listed
from exchange.security.files import write_atomically
from exchange.settings.territory import territory

app = typer.Typer()


@entering(app)
def grant(
    desk: Desk,
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help="The body's file: CODE.request.json.")],
    *,
    authority: Annotated[Path, typer.Option(help="Folder of the authority that issues the certificates.")],
    answer: Annotated[Path | None, typer.Option(help="Where the answer goes. Default: CODE.answer.json.")] = None,
    reason: Reason,
) -> Done:
    """Let a body in that asked: issue its certificates, and list it as testing.

    Compare the SHA-256 of its request, which stands in the change, with what the body's administrator tells by
    telephone. Exit code 1 when anything is wrong with the request; all of it is told. The other keeper approves
    before the answer goes out.
    """
    data = _read(request)
    asked, now = decode_request(data), system.now()
    file = answer or Path(f"{asked.code}.answer.json")

    def granted(head: Directory) -> Iterable[Body]:
        used = keys_listed(head.bodies.values())
        require_none(desk.output, examine_request(asked, head, territory().names.keys(), used, now))
        issuing = Authority(authority, now=now)
        certificates = {use: issuing.certify(csr, asked.code, use) for use, csr in asked.csrs.items()}
        write_atomically(file, encode_answer(Answer(asked.exchange, asked.code, certificates)))
        return [replace(entry_of(asked, certificates), status=BodyStatus.TESTING)]

    done = desk.enter_entries(granted, f"{reason}; request {digest(data).hex()}")
    return replace(done, answer=str(file))


@entering(app)
def import_(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="CSV", help="Bodies: docs/connect-a-body.md has the columns.")],
    *,
    reason: Reason,
) -> Done:
    """Plan the bodies of a list. Everything wrong in it is told at once, and then nothing is entered."""
    data = _read(file)

    def planned(head: Directory) -> Iterable[Body]:
        plan = read_plan(data, head, territory().names.keys())
        require_none(desk.output, plan.problems)
        return plan.bodies

    return desk.enter_entries(planned, reason)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror}): name the file that came"
        raise ConfigurationError(message, code="file-unreadable") from error
