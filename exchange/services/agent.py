"""An agent as a service: how it is, for health and metrics. Its work is `exchange.agent`'s own."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from exchange.agent.agent import Agent
from exchange.agent.spool.witnessed import Coverage
from exchange.agent.status import BodyStatus, Counters
from exchange.domain.errors import SpoolError
from exchange.services.runner import Changes

LOOK_SECONDS = 1.0
COUNTED = {
    "agent_submitted_total": "Statements written to submissions, repeats included",
    "agent_taken_total": "Statements proven taken",
    "agent_restarted_total": "Origins left and opened anew",
    "agent_arrived_total": "Letters and receipts that arrived and hold",
    "agent_deadlines_total": "Deadlines that passed of letters of ours or to us",
    "agent_flagged_total": "Inbox records that do not prove what they say",
    "agent_log_proofs_total": "Proofs of own origins in the transparency log",
    "agent_handed_over_total": "Packages shown to the document system",
    "agent_quarantined_total": "Packages of the document system that cannot be sent",
    "duplicates_total": "Inbox records that had arrived before",
}
"""What the agent counts, by the name in `Counters`."""


class AgentService:
    """Runs an agent and keeps looking how each of its bodies is."""

    def __init__(self, agent: Agent, counters: Counters, registry: CollectorRegistry) -> None:
        """Register metrics on `registry`; nothing is opened before `run`."""
        self._agent = agent
        self._bodies: tuple[BodyStatus, ...] = ()
        self._blind = "the spool: not read yet"
        self._changes = Changes()
        registry.register(_Metrics(counters, lambda: self._bodies))

    @property
    def waiting_for(self) -> str:
        """What keeps a body from being served; empty when all are."""
        if self._blind:
            return self._blind
        return self._common or "; ".join(f"{body.body}: {_reason(body)}" for body in self._bodies if _reason(body))

    @property
    def _common(self) -> str:
        """What all bodies wait for, when they are many and it is the same: a line that is cut is one piece of news."""
        reasons = {_reason(body) for body in self._bodies}
        if len(self._bodies) < 2 or len(reasons) > 1 or "" in reasons:
            return ""
        return f"{len(self._bodies)} bodies: {reasons.pop()}"

    async def run(self) -> None:
        """Work until cancelled; raises as `exchange.agent.agent.Agent.run`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._agent.run(), name="agent")
            group.create_task(self._look(), name="status")

    async def _look(self) -> None:
        """Keep looking; what the spool refuses for a while is shown until the next look."""
        while True:
            try:
                self._bodies = tuple(await self._agent.status())
            except SpoolError as error:
                if not error.retriable:
                    raise
                self._blind = f"{error.code}: {error}"
            else:
                self._blind = ""
                self._tell()
            await asyncio.sleep(LOOK_SECONDS)

    def _tell(self) -> None:
        """Log what each body begins and ends to wait for."""
        now = asyncio.get_running_loop().time()
        if len(self._bodies) > 1:
            self._changes.tell("the agent", self._common, now)
        for body in () if self._common else self._bodies:
            code = {"code": body.failure.code} if body.failure else {}
            self._changes.tell(body.body, _reason(body), now, body=body.body, **code)


class _Metrics(Collector):
    """The agent's counts and its bodies' gauges, gathered when they are asked for."""

    def __init__(self, counters: Counters, bodies: Callable[[], Sequence[BodyStatus]]) -> None:
        self._counters = counters
        self._bodies = bodies

    def collect(self) -> Iterable[Metric]:
        """Names of `docs/metrics.md`; labels are bounded."""
        families: dict[str, CounterMetricFamily] = {}
        for (name, labels), count in self._counters.read().items():
            names = [label for label, _ in labels]
            if name not in families:
                families[name] = CounterMetricFamily(f"exchange_{name}", COUNTED.get(name, name), labels=names)
            family = families[name]
            family.add_metric([value for _, value in labels], count)
        yield from families.values()
        yield self._gauge("exchange_agent_unproven", "Said, not proven taken", lambda body: body.drafts + body.unproven)
        yield self._gauge("exchange_agent_to_hand_over", "Arrived, not handed over", lambda body: body.to_hand_over)
        yield self._moment("inbox_read", "When the inbox was last read", lambda body: body.last_seen)
        yield self._moment("oldest_unproven", "When the oldest of these was said", lambda body: body.oldest)
        yield self._moment(
            "oldest_unwitnessed",
            "When the oldest of what is taken and not witnessed was signed",
            lambda body: None if body.coverage is None else body.coverage.oldest,
        )
        yield self._moment("oldest_to_hand_over", "When the oldest of these arrived", lambda body: body.oldest_arrival)
        yield self._covered("unwitnessed", "Taken, covered by no witnessed checkpoint yet", lambda log: log.behind)
        yield self._covered(
            "log_contradictions", "Numbers at which the log has another statement", lambda log: log.contradictions
        )
        yield self._waiting()

    def _gauge(self, name: str, text: str, value: Callable[[BodyStatus], float]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, text, labels=["body"])
        for body in self._bodies():
            family.add_metric([body.body], value(body))
        return family

    def _covered(self, name: str, text: str, value: Callable[[Coverage], int]) -> GaugeMetricFamily:
        """How bodies stand to the transparency log; no sample where nobody reads that."""
        family = GaugeMetricFamily(f"exchange_agent_{name}", text, labels=["body"])
        for body in self._bodies():
            if body.coverage is not None:
                family.add_metric([body.body], value(body.coverage))
        return family

    def _moment(self, name: str, text: str, value: Callable[[BodyStatus], datetime | None]) -> GaugeMetricFamily:
        """A moment that there may not be: no sample then, or 1970 would set off every alert."""
        family = GaugeMetricFamily(f"exchange_agent_{name}_timestamp_seconds", text, labels=["body"])
        for body in self._bodies():
            if (moment := value(body)) is not None:
                family.add_metric([body.body], moment.timestamp())
        return family

    def _waiting(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily("exchange_agent_waiting", "1 for each code it waits for", labels=["body", "code"])
        for body in self._bodies():
            for code in body.waits_for:
                family.add_metric([body.body, code], 1)
        return family


def _reason(body: BodyStatus) -> str:
    """What a body waits for; words that are merely on their way are no reason."""
    if body.halted:
        return f"a person: {body.failure.code}: {body.failure.message}" if body.failure else "a person"
    if body.failure is not None:
        return f"{body.failure.code}: {body.failure.message}"
    return "" if body.ready else "its inbox to be read"
