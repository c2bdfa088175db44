"""Bringing an installation up: files, Kafka, topics and rights, then its processes.

With `EXCHANGE_KAFKA_BOOTSTRAP` in the environment no broker is started: the topics are made in that
cluster, as whom `EXCHANGE_KAFKA_CERTIFICATE` names, and rights and quotas are left to its owners.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from exchange.bus.administration import Administration
from exchange.domain.errors import EmbeddedError
from exchange.embedded.broker import STOP_SECONDS, JavaProgram
from exchange.embedded.class_cache import with_class_cache
from exchange.embedded.demo_bodies import DemoBody
from exchange.embedded.folders import cache_folder
from exchange.embedded.installation import Installer
from exchange.embedded.installed import Installation, agents, role_of
from exchange.embedded.jars import ensure_jars
from exchange.embedded.java import find_java
from exchange.embedded.kafka import EmbeddedKafka
from exchange.embedded.log_keeping import has_tsa
from exchange.embedded.roles import Roles, running, waiting_for
from exchange.services.reconcile.cluster import Cluster
from exchange.settings import directory_settings, operator_settings, router_settings, tracker_settings
from exchange.settings.agent import agent_settings
from exchange.settings.archive import archive_settings
from exchange.settings.tables import ObserveSettings
from exchange.settings.time_authority import time_authority_settings
from exchange.settings.witness import witness_settings
from exchange.wiring.directory import latest_directory
from exchange.wiring.reconcile import must_be

READY_SECONDS = 180.0
"""A calm machine needs ten; who ended by itself is told of at once."""
HEAP_MB = 384
_POLL_SECONDS = 0.1

Tell = Callable[[str], None]
"""Told in a few words what is being done now."""


class BroughtUp:
    """An installation while it runs; `async with` ends it again unless it is `detached`."""

    def __init__(
        self,
        folder: Path,
        bodies: tuple[DemoBody, ...],
        environ: Mapping[str, str],
        now: datetime,
        *,
        detached: bool = False,
        tell: Tell = lambda _words: None,
        console: bool = False,
        expiring: Mapping[str, timedelta] = MappingProxyType({}),
    ) -> None:
        """Nothing is made or started.

        Args:
            folder: of the installation; made or reused.
            bodies: whom it has.
            environ: the process's environment: folders, the user's own cluster.
            now: present time (UTC).
            detached: everything outlives this process.
            tell: told what is being done.
            console: whether the operators' console runs, too.
            expiring: how long the certificates of these bodies, by code, are still good; a year where none is named.
        """
        self._folder = folder.absolute()
        self._bodies = bodies
        self._environ = environ
        self._now = now
        self._detached = detached
        self._tell = tell
        self._expiring = expiring
        self._undo = AsyncExitStack()
        self.installation = Installation(self._folder, agents(bodies), console=console)

    async def __aenter__(self) -> Self:
        """Bring everything up and wait until every process does its work.

        Raises:
            EmbeddedError: a server or process did not come up; what was started is ended again.
            BusError: the cluster refused.
            ConfigurationError: the folder holds something else.
        """
        try:
            await self._start()
        except BaseException:
            await asyncio.shield(self._undo.aclose())
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes, then Kafka."""
        if not self._detached:
            self._tell("ending processes and Kafka")
            await asyncio.shield(self._undo.aclose())

    async def _start(self) -> None:
        self._tell("making certificates and the signed directory")
        installer = await asyncio.to_thread(
            partial(
                Installer, self._folder, self._bodies, self._now, served=True, console=self.installation.console,
                expiring=self._expiring,
            )
        )  # fmt: skip
        if not has_tsa(self._folder):
            self._tell("going on without time-stamps: openssl is not on this machine")
        bootstrap = self._environ.get("EXCHANGE_KAFKA_BOOTSTRAP") or await self._start_kafka(installer)
        running_roles = [role for role in self.installation.roles if running(self.installation, role)]
        ours = "EXCHANGE_KAFKA_BOOTSTRAP" not in self._environ
        await asyncio.to_thread(partial(installer.write_settings, bootstrap, running_roles, ours=ours))
        self._tell("making topics, rights and quotas")
        await self._prepare_cluster(fresh=installer.fresh)
        self._tell(f"starting the directory, router, tracker, archive and {len(self.installation.agents)} agents")
        roles = Roles(self.installation, self._environ, attached=not self._detached)
        self._undo.push_async_callback(asyncio.to_thread, roles.stop)
        await asyncio.to_thread(roles.start)
        await self._wait_ready(roles)

    async def _start_kafka(self, installer: Installer) -> str:
        tls = installer.tls
        program = await asyncio.to_thread(self._program)
        self._tell("starting Kafka (the first start on a machine takes 15 s longer: later ones are faster for it)")
        program = await asyncio.to_thread(with_class_cache, program, cache_folder(self._environ), tls)
        kafka = EmbeddedKafka(self.installation.kafka, program, tls=tls, detached=self._detached)
        # What is thrown away needs no orderly end; a detached one ends here only when it did not come up.
        self._undo.push_async_callback(asyncio.to_thread, kafka.stop, STOP_SECONDS if self._detached else 0.0)
        await _to_its_end(kafka.start)
        return kafka.bootstrap

    def _program(self) -> JavaProgram:
        java = find_java(self._environ)
        jars = ensure_jars(cache_folder(self._environ), self._tell_jars)
        return JavaProgram(java, jars, heap_mb=HEAP_MB)

    def _tell_jars(self, done: int, total: int) -> None:
        """Every now and then: on a second start they are only compared, 0.1 s for all."""
        if done % 15 == 0:
            self._tell(f"checking Kafka's files, fetching those that are missing: {done} of {total}")

    async def _prepare_cluster(self, *, fresh: bool) -> None:
        settings = operator_settings(self.installation.config("operator"), self._environ)
        rules = must_be(settings, latest_directory(settings.directory))
        bootstrap = settings.kafka.bootstrap
        async with Administration(settings.kafka) as administration:
            if fresh and await administration.partition_counts():
                message = f"{bootstrap} holds the topics of another exchange: remove them, or name another cluster"
                raise EmbeddedError(message, code="cluster-in-use")
            if "EXCHANGE_KAFKA_BOOTSTRAP" in self._environ:
                await administration.ensure_topics(rules.topics)
            else:
                await Cluster(settings.kafka).apply(rules)

    async def _wait_ready(self, roles: Roles) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waiting = observed(self.installation, self._environ)
        while waiting:
            await asyncio.to_thread(roles.check)
            # What ran before us may end only now, over what was wrong until we made it right.
            await asyncio.to_thread(roles.start)
            for role in list(waiting):
                reason = await asyncio.to_thread(waiting_for, waiting[role])
                if not reason:
                    del waiting[role]
                elif time.monotonic() > deadline:
                    message = f"{role} waits for {reason}; see {self.installation.log(role)}"
                    raise EmbeddedError(message, code="embedded-process-waits")
            await asyncio.sleep(_POLL_SECONDS)


async def _to_its_end(work: Callable[[], None]) -> None:
    """Run in a thread; when cancelled meanwhile wait for it, so that what it starts can be ended again."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def observed(installation: Installation, environ: Mapping[str, str]) -> dict[str, ObserveSettings]:
    """Where each process of an installation serves its health."""
    return {
        "directory": directory_settings(installation.config("directory"), environ).observe,
        "router": router_settings(installation.config("router"), environ).observe,
        "tracker": tracker_settings(installation.config("tracker"), environ).observe,
        "witness": witness_settings(installation.config("witness"), environ).observe,
        "archive": archive_settings(installation.config("archive"), environ).observe,
        **(
            {"tsa": time_authority_settings(installation.config("tsa")).observe} if has_tsa(installation.folder) else {}
        ),
        **{
            agent: agent_settings(installation.config(agent), environ).observe
            for agent in sorted(map(role_of, installation.agents))
        },
    }
