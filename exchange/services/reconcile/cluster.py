"""The cluster as the plan sees it, and as the plan changes it."""

from collections.abc import Callable
from functools import partial

from exchange.bus.administration import Administration, settled
from exchange.bus.connection import KafkaSettings
from exchange.bus.quotas import read_quotas, set_quotas
from exchange.domain.errors import BusError
from exchange.services.reconcile.plan import Configure, Create, Give, Grow, Limit, Observed, Plan, Revoke, Step, plan
from exchange.services.reconcile.wanted import Wanted

Tell = Callable[[Step], None]
"""Told what is done next."""


class Cluster:
    """One cluster, by a principal that may change topics, rights and quotas (`svc-directory`, or a super user)."""

    def __init__(self, kafka: KafkaSettings) -> None:
        """It is connected to when it is first asked.

        Raises:
            KeyRefused: as `confluent_options`.
        """
        self._kafka = kafka
        self._administration = Administration(kafka)

    async def observe(self) -> Observed:
        """What there is now.

        Raises:
            BusError: `bus-unavailable`, `access-denied`.
        """
        topics = await self._administration.topics()
        rights = await self._administration.rights()
        return Observed(topics, frozenset(rights), await read_quotas(self._kafka))

    async def perform(self, step: Step) -> None:
        """Do one step, all of it; what is done already does no harm.

        Raises:
            BusError: `bus-unavailable`, `access-denied`, `bus-refused`; a part may be done.
        """
        match step:
            case Revoke(rights):
                await self._administration.revoke(rights)
            case Create(topics):
                await self._administration.create_topics(topics)
            case Configure(differences):
                await self._administration.configure_topics(differences)
            case Limit(quotas):
                await set_quotas(self._kafka, {principal: must_be for principal, (must_be, _) in quotas.items()})
            case Give(rights):
                await self._administration.grant(rights)
            case Grow():
                await self._administration.add_partitions(step.counts)

    async def planned(self, wanted: Wanted) -> Plan:
        """What would change now; changes nothing.

        Raises:
            BusError: as `observe`.
        """
        return plan(wanted, await self.observe())

    async def apply(self, wanted: Wanted, tell: Tell = lambda _step: None) -> Plan:
        """Change exactly what is planned, then look until it is so.

        Killed or refused in the middle, the next call goes on from what there is.

        Returns:
            What was done.

        Raises:
            BusError: as `perform`; `bus-unavailable` when after 30 s the brokers still say something else.
        """
        done = await self.planned(wanted)
        for step in done.steps:
            tell(step)
            await self.perform(step)
        if done.steps:
            left = await settled(partial(self.planned, wanted), lambda seen: not seen.steps)
            if left.steps:
                first, *others = left.changes
                message = f"{first.subject} ({first.setting}) and {len(others)} others were changed and are not so"
                raise BusError(f"{message}: apply again, and look at the controllers if it stays so")
        return done
