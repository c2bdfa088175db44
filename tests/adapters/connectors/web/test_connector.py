"""The HTTP connector beyond the contract: lost answers, refusals, an EDMS that is away or answers nonsense."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from adapters.connectors.durable import ConnectorError
from adapters.connectors.web.client import Client
from adapters.connectors.web.connector import ANSWER_BYTES, HttpConnector
from adapters.connectors.web.signature import RequestSigner
from exchange.agent.ports import Package
from tests.adapters.connectors.contract.web import PULL_SECONDS, SECRET, WebSystem
from tests.patience import PATIENCE

KEY, OTHER = "0f" * 32, "1e" * 32
PACKAGE = Package("letter", {"document.xml": b"<a/>", "a.pdf": b"%PDF"})


@pytest.fixture
def edms(tmp_path: Path) -> Iterator[WebSystem]:
    """The page's example."""
    with WebSystem(tmp_path / "staging").running() as system:
        yield system


def says(status: str, body: bytes = b"{}", *headers: str) -> bytes:
    """A whole answer."""
    head = "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def staged(edms: WebSystem, *keys: str) -> HttpConnector:
    """A connector with packages to be published."""
    connector = edms.connector()
    for key in keys or (KEY,):
        connector.stage(key, PACKAGE)
    return connector


def failing(connector: HttpConnector, key: str = KEY) -> ConnectorError:
    """What publishing raises."""
    with pytest.raises(ConnectorError) as caught:
        connector.publish(key)
    return caught.value


def test_a_lost_answer_makes_no_second_letter(edms: WebSystem) -> None:
    """The EDMS took it and the connection was cut: what is sent again has the same key."""
    edms.faults = [b"cut"]
    failure = failing(staged(edms))
    assert (failure.code, failure.retriable) == ("http-unavailable", True)
    assert edms.shown() == [dict(PACKAGE.files)]
    again = edms.connector()
    for _ in range(2):
        again.publish(KEY)
    assert edms.requests == ["POST /in", "POST /in"]
    assert edms.shown() == [dict(PACKAGE.files)]
    assert list(edms.handler.arrived) == [f'"{KEY}"']


def test_a_refusal_is_final_and_the_same_again(edms: WebSystem) -> None:
    """The agent that was killed before it had noted it hears it again; only the code is repeated to others."""
    answer = says("422 No", '{"code": "sender-unknown", "problem": "Купуя"}'.encode())
    connector = staged(edms)
    for each in (connector, edms.connector()):
        edms.faults = [answer]
        failure = failing(each)
        assert (failure.code, failure.retriable) == ("http-refused", False)
        assert "422 sender-unknown" in str(failure)
        assert "problem" not in str(failure)


@pytest.mark.parametrize("body", [b"", b"no", '{"code": "Купуя 1"}'.encode(), b'{"code": 7}', b"[" * 9999])
def test_a_refusal_may_say_anything(edms: WebSystem, body: bytes) -> None:
    """What is no code is not repeated."""
    edms.faults = [says("400 No", body)]
    assert str(failing(staged(edms))) == "the document system refuses it with 400: ask who runs it"


def test_one_bad_package_holds_up_no_other(edms: WebSystem) -> None:
    """A 500 is about this one."""
    connector = staged(edms, KEY, OTHER)
    edms.faults = [says("500 Oops")]
    assert failing(connector).code == "http-failed"
    connector.publish(OTHER)
    connector.publish(KEY)
    assert len(edms.shown()) == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_an_edms_that_asks_for_time_gets_it(edms: WebSystem, *, as_date: bool) -> None:
    """Until then nothing is sent to it, for no letter."""
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=250), usegmt=True) if as_date else "250"
    connector = staged(edms, KEY, OTHER)
    edms.faults = [says("503 Busy", b"", f"Retry-After: {at}")]
    assert "answers 503" in str(failing(connector))
    edms.clock.seconds += 245 - PATIENCE  # the present time goes on meanwhile
    assert failing(connector, OTHER).code == "http-unavailable"
    assert len(edms.requests) == 1
    edms.clock.seconds += 10 + PATIENCE
    connector.publish(OTHER)
    connector.publish(KEY)
    assert len(edms.shown()) == 2


def test_an_edms_that_is_away_is_asked_ever_less(edms: WebSystem) -> None:
    """Half a second, then twice as long, up to a minute; back at once when it answers."""
    connector = staged(edms)
    asked: list[float] = []
    for _ in range(800):
        edms.faults = [says("502 Bad gateway", b"", "Retry-After: soon")]
        failing(connector)
        if len(edms.requests) > len(asked):
            asked.append(edms.clock.seconds)
        edms.clock.seconds += 0.5
    waits = [after - before for before, after in pairwise(asked)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    edms.faults.clear()
    edms.clock.seconds += 60
    connector.publish(KEY)
    assert len(edms.shown()) == 1


def test_only_the_configured_url_is_asked(edms: WebSystem) -> None:
    """A redirect is not followed, wherever it leads."""
    edms.faults = [says("307 Elsewhere", b"", f"Location: {edms.url}/elsewhere")]
    assert "name the final URL" in str(failing(staged(edms)))
    assert edms.requests == ["POST /in"]


def test_proxies_of_the_environment_are_not_used(edms: WebSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor anything else that httpx would take from there."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    staged(edms).publish(KEY)
    assert len(edms.shown()) == 1


def test_answers_are_bounded(edms: WebSystem) -> None:
    """Too many bytes, or compressed ones, which may become any number."""
    packed = gzip.compress(b"0" * 100)
    for body, header in ((b"0" * (ANSWER_BYTES + 1), "X: y"), (packed, "Content-Encoding: gzip")):
        edms.faults = [says("200 OK", body, header)]
        failure = failing(staged(edms))
        assert (failure.code, failure.retriable) == ("http-answer-invalid", True)
        edms.clock.seconds += 100


def test_an_answer_that_drips_is_given_up(edms: WebSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a thread."""
    monkeypatch.setattr("adapters.connectors.web.client.ANSWER_SECONDS", -1.0)
    assert failing(staged(edms)).code == "http-answer-invalid"


def test_a_wrong_secret_is_told(edms: WebSystem) -> None:
    """The EDMS says 401: everything waits until somebody has put the right one in place."""
    edms.secret = SECRET.replace("b", "c")
    failure = failing(staged(edms))
    assert "401" in str(failure)
    assert (failure.code, failure.retriable) == ("http-unavailable", True)


def test_nothing_listens(tmp_path: Path) -> None:
    """The host is named."""
    system = WebSystem(tmp_path)
    client = Client(httpx.URL("http://127.0.0.1:1/in"), system.client_tls, RequestSigner(SECRET), system.clock.clocks)
    connector = HttpConnector(tmp_path, client, None, monotonic=system.clock.clocks.monotonic, pull_seconds=5)
    connector.stage(KEY, PACKAGE)
    assert "127.0.0.1 cannot be reached" in str(failing(connector))
    connector.close()


def test_without_pull_nothing_is_collected(edms: WebSystem) -> None:
    """Nor told."""
    signer = RequestSigner(SECRET)
    client = Client(httpx.URL(f"{edms.url}/in"), edms.client_tls, signer, edms.clock.clocks)
    connector = HttpConnector(edms.staging, client, None, monotonic=edms.clock.clocks.monotonic, pull_seconds=5)
    assert list(connector.collect(5)) == []
    connector.archive("1")
    connector.close()
    assert edms.requests == []


def test_an_edms_without_letters_is_not_asked_all_the_time(edms: WebSystem) -> None:
    """Some seconds after nothing waited; at once while something does."""
    connector = edms.connector()
    for seconds in (0, PULL_SECONDS - 1, 1):
        edms.clock.seconds += seconds
        assert list(connector.collect(5)) == []
    assert edms.requests == ["GET /out?limit=5"] * 2
    edms.put("1", {"a.xml": b"<a/>"}, 1)
    edms.clock.seconds += PULL_SECONDS
    for _ in range(2):
        assert [package.name for package in connector.collect(5)] == ["1"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"packages": ["../in"]}', b'{"packages": [""]}', b"[" * 9999])
def test_a_list_that_is_none_is_waited_out(edms: WebSystem, body: bytes) -> None:
    """Ids that could lead elsewhere are none."""
    edms.pull_faults = [says("200 OK", body)]
    with pytest.raises(ConnectorError) as caught:
        list(edms.connector().collect(5))
    assert (caught.value.code, caught.value.retriable) == ("http-answer-invalid", True)
    assert edms.requests == ["GET /out?limit=5"]


def test_what_the_edms_withdraws_is_passed_over(edms: WebSystem) -> None:
    """Listed, and gone when it is asked for."""
    for number in (1, 2):
        edms.put(str(number), {"a.xml": b"<a/>"}, number)
    edms.pull_faults = [b"", says("410 Gone")]
    assert [package.name for package in edms.connector().collect(5)] == ["2"]
    edms.connector().archive("1")
    assert edms.taken() == {"1"}
