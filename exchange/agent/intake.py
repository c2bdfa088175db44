"""From the EDMS into the spool: collect, understand, draft, put aside.

A package is put aside only when the spool has it, and the spool remembers its digest: killed in
between, the agent finds it again, knows it, and puts it aside. What cannot be sent is quarantined
with a text that says what is wrong and where.
"""

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from exchange.agent.bounds import BYTES_AT_ONCE, up_to
from exchange.agent.correspondence import letter_meant, say_letter, say_receipt
from exchange.agent.errors import DraftRefused, want_of_memory_named
from exchange.agent.office import Office, Wake
from exchange.agent.ports import Connector, DraftLetter, DraftReceipt, Format, Package
from exchange.agent.spool import outgoing
from exchange.agent.status import Waits
from exchange.domain.errors import DocumentError, ExchangeError, fault

log = logging.getLogger(__name__)

PART = "intake"
PACKAGES = 50
"""Packages of one round at most."""

Parsed = DraftLetter | DraftReceipt | DocumentError


@dataclass(frozen=True, slots=True)
class Edms:
    """A body's document system: how packages travel, and what they mean."""

    connector: Connector
    format: Format


class Intake:
    """Takes in what one body's EDMS wants sent; `run` is its task."""

    def __init__(self, office: Office, body: str, edms: Edms, waits: Waits, wake_outbound: Wake) -> None:
        """`wake_outbound` is called when there is something to send."""
        self._office = office
        self._body = body
        self._edms = edms
        self._waits = waits
        self._wake_outbound = wake_outbound

    async def run(self) -> None:
        """Take in until cancelled; an EDMS or a disk that fails is waited out."""
        attempts = 0
        while True:
            try:
                async with self._office.desks:
                    busy = await self._round()
            except (OSError, ExchangeError) as error:
                if isinstance(error, ExchangeError) and not error.retriable:
                    raise
                attempts += 1
                self._wait(error)
                await asyncio.sleep(self._office.timing.backoff(attempts))
                continue
            attempts = 0
            self._waits.over(PART)
            if not busy:
                await asyncio.sleep(self._office.timing.edms_poll)

    async def _round(self) -> bool:
        """Take in what waits, in its order, as much as fits into one round; whether there was anything."""
        with want_of_memory_named():
            found = await asyncio.to_thread(self._collect)
        async with asyncio.TaskGroup() as group:
            results = [group.create_task(self._take(package, parsed)) for package, parsed in found]
        for result in results:
            if (failure := result.result()) is not None:
                raise failure
        return bool(found)

    def _collect(self) -> list[tuple[Package, Parsed]]:
        """What waits, understood; where something cannot be read, what came before it goes first."""
        found: list[tuple[Package, Parsed]] = []
        try:
            waiting = up_to(BYTES_AT_ONCE, self._edms.connector.collect(PACKAGES), _size)
            found.extend((package, self._parse(package)) for package in waiting)
        except (OSError, ExchangeError):
            if not found:
                raise
        except MemoryError:
            raise
        except Exception as error:
            if not found:
                raise self._foreign(error) from error
        return found

    def _parse(self, package: Package) -> Parsed:
        try:
            return self._edms.format.parse(package, self._office.history.directory)
        except DocumentError as error:
            return error
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - foreign code: its bug must not stop the other packages
            return self._faulty(package, error)

    async def _take(self, package: Package, parsed: Parsed) -> OSError | ExchangeError | None:
        """Draft it and put it aside, or quarantine it; the error that may pass is returned."""
        if isinstance(parsed, DocumentError):
            return await self._refuse(package, parsed)
        try:
            await self._office.spool.run(lambda connection: self._draft(connection, package, parsed))
        except (DocumentError, DraftRefused) as refused:
            return await self._refuse(package, refused)
        except ExchangeError as error:
            return error
        except Exception as error:  # noqa: BLE001 - what a format let pass, no statement may be able to hold
            return await self._refuse(package, self._faulty(package, error))
        self._wake_outbound()
        return await self._returned(self._edms.connector.archive, package.name)

    async def _refuse(self, package: Package, refused: DocumentError | DraftRefused) -> OSError | ExchangeError | None:
        """Put it into quarantine with the reason."""
        self._office.counters.add("agent_quarantined_total", body=self._body, reason=refused.code)
        log.warning("%s: package %s is quarantined (%s)", self._body, package.name, refused.code)
        others = refused.others if isinstance(refused, DocumentError) else ()
        problem = "\n".join(map(str, (refused, *others)))
        return await self._returned(self._edms.connector.quarantine, package.name, problem, refused.code)

    def _draft(self, connection: sqlite3.Connection, package: Package, parsed: DraftLetter | DraftReceipt) -> None:
        if not outgoing.take_input(connection, self._body, package_digest(package)):
            return
        drafting = self._office.drafting
        if isinstance(parsed, DraftLetter):
            say_letter(connection, drafting, self._body, parsed)
            return
        letter = letter_meant(connection, self._body, parsed)
        say_receipt(connection, drafting, self._body, letter, parsed)

    def _faulty(self, package: Package, error: Exception) -> DocumentError:
        """What nobody expected, as a reason to put the package aside."""
        log.error("%s: taking in %s failed: %s", self._body, package.name, fault(error))
        message = f"the agent failed with {type(error).__name__}: report it, and send the letter in another way"
        return DocumentError(message, place=package.name)

    async def _returned(self, act: Callable[..., None], *arguments: str) -> OSError | ExchangeError | None:
        """Do something in a thread; an error is returned so that the other packages are dealt with first."""
        try:
            await asyncio.to_thread(act, *arguments)
        except (OSError, ExchangeError) as error:
            return error
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - foreign code: its bug must not end the other bodies' letters
            return self._foreign(error)
        return None

    def _foreign(self, error: Exception) -> ExchangeError:
        """A connector's bug, as something that is waited out."""
        log.error("%s: the connector failed: %s", self._body, fault(error))
        message = f"the connector failed with {type(error).__name__}: report it; the letters wait where they are"
        return ExchangeError(message, code="connector-failed", retriable=True)

    def _wait(self, error: OSError | ExchangeError) -> None:
        code = error.code if isinstance(error, ExchangeError) else "edms-unavailable"
        self._waits.on(PART, code, str(error), self._office.clock())
        log.warning("%s: taking in waits: %s (%s)", self._body, error, code)


def _size(package: Package) -> int:
    return sum(len(data) for data in package.files.values())


def package_digest(package: Package) -> bytes:
    """SHA-256 of a package's files, whatever the package is called."""
    state = hashlib.sha256()
    for name, data in sorted(package.files.items()):
        state.update(hashlib.sha256(name.encode()).digest())
        state.update(hashlib.sha256(data).digest())
    return state.digest()
