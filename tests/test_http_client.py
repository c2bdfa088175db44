"""The typed client against a real agent's API; it blocks, so each call is made in a thread."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from exchange.domain.event import Event
from exchange.http_client import AgentApi, ApiProblem, File, Letter, Receipt
from tests.agent.conftest import authority_folder, place
from tests.services.api.conftest import api
from tests.services.api.site import Site

__all__ = ["api", "authority_folder", "place"]

DRAFT = Letter(
    message_id="m 1/2",
    recipients=("beta",),
    title="О переходе",
    files=(File(name="Проект.txt", content="0YLQtdC60YHRgg=="),),
)


def correspondence(url: str, site: Site) -> Receipt:
    """Alpha's letter reaches beta, which registers it: everything that the client can do."""
    with (
        AgentApi.open(url, "alpha", site.tokens["alpha"]) as alpha,
        AgentApi.open(url, "beta", site.tokens["beta"]) as beta,
    ):
        assert (alpha.send(DRAFT).is_new, alpha.send(DRAFT).is_new) == (True, False)
        (summary,) = beta.inbox(wait=10).letters
        arrived, letter = beta.letter(summary.id)
        assert (letter.title, letter.sender.body, arrived.links[0].name) == (DRAFT.title, "alpha", "Проект.txt")
        assert beta.file(summary.id, 0).decode() == "текст"
        receipt = Receipt(
            message_type="receipt",
            event=Event.REGISTERED,
            event_time=datetime(2026, 3, 1, 12, tzinfo=UTC),
            reg_number="01-7/5",
            reg_date=date(2026, 3, 1),
        )
        assert beta.say(summary.id, receipt).event is Event.REGISTERED
        page = alpha.receipts(wait=10)
        while page.receipts[-1].event is not Event.REGISTERED:
            page = alpha.receipts(page.cursor, wait=10)
        assert (page.receipts[-1].message_id, page.receipts[-1].reg_number) == (DRAFT.message_id, "01-7/5")
        (last,) = alpha.last_sent()
        assert (last.id, last.state) == (summary.id, alpha.sent(DRAFT.message_id).state)
        return receipt


def refusals(url: str, site: Site) -> None:
    """What the agent says is wrong, as one kind of error."""
    with AgentApi.open(url, "alpha", site.tokens["alpha"]) as alpha:
        with pytest.raises(ApiProblem) as refused:
            alpha.sent("none")
        assert (refused.value.code, refused.value.status, refused.value.retriable) == ("letter-unknown", 404, False)
        with pytest.raises(ApiProblem) as refused:
            alpha.send(Letter(message_id="m-2", recipients=("?",)))
        assert (refused.value.code, refused.value.field) == ("recipient-unknown", "/recipients/0")


async def test_a_letter_and_its_receipts(api: Site) -> None:
    """There and back, by types only."""
    async with api.listening() as url:
        await asyncio.to_thread(correspondence, url, api)
        await asyncio.to_thread(refusals, url, api)


class Elsewhere(BaseHTTPRequestHandler):
    """Answers as something that stands in between."""

    def do_GET(self) -> None:
        """A page of a gateway."""
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def elsewhere() -> Iterator[str]:
    """A server that is no agent."""
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_agent_that_is_not_there() -> None:
    """Nobody listens, or somebody else answers: both may pass."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with AgentApi.open(f"http://127.0.0.1:{port}", "alpha", "t") as nobody, pytest.raises(ApiProblem) as refused:
        nobody.inbox()
    assert (refused.value.code, refused.value.retriable, refused.value.status) == ("api-unreachable", True, 0)
    with elsewhere() as url, AgentApi.open(url, "alpha", "t") as other, pytest.raises(ApiProblem) as refused:
        other.inbox()
    assert (refused.value.code, refused.value.retriable, refused.value.status) == ("api-unreachable", True, 502)
