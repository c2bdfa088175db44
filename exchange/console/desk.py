"""What pages and API work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from starlette.requests import Request

from exchange.console.auth.acts import Acts, Unkept
from exchange.console.auth.entrance import Identify
from exchange.console.auth.people import People
from exchange.console.checks import Checks
from exchange.console.contents import Contents
from exchange.console.evidence.packing import Packer
from exchange.console.seals import Seal
from exchange.console.stream.hub import Hub
from exchange.domain.directory import Directory
from exchange.services.evidence.standing import LogStanding
from exchange.services.tasks.office import TaskOffice
from exchange.store.database import Store
from exchange.store.desk.database import DeskStore


@dataclass(frozen=True, slots=True)
class Site:
    """How browsers reach the console: scheme, host and port, no path."""

    url: str

    @property
    def is_secure(self) -> bool:
        """Whether only over TLS."""
        return self.url.startswith("https://")

    @property
    def host(self) -> str:
        """What the Host header of a request must be, lower case: browsers leave the scheme's own port out."""
        return urlsplit(self.url).netloc.lower().removesuffix(":443" if self.is_secure else ":80")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that answering needs; one for the whole process.

    Attributes:
        store: the tracker's database; read only here.
        directory: the newest version known here; quick, may be called at each request.
        now: the clock.
        new_id: a random id, for requests.
        identify: who a request comes from.
        site: how browsers reach us.
        hub: tells changes to all who listen.
        people: who signs in with a browser; None where only programs come.
        own: what people wrote down here; None where nobody signs in.
        acts: where it is kept who did or viewed what.
        contents: reads letters from the journal; None where nobody reads any.
        tasks: what people set going; None where no runner does it.
        seal: signs what leaves as evidence; None where there is no key.
        checks: checks of the journal; None where nobody reads it.
        packer: makes packages of evidence; None where there is no archive.
        standing: how far a letter, by its digest, stands in the archive's log; blocks; None where there is no archive.
    """

    store: Store
    directory: Callable[[], Directory]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    identify: Identify
    site: Site
    hub: Hub
    people: People | None = None
    own: DeskStore | None = None
    acts: Acts = field(default_factory=Unkept)
    contents: Contents | None = None
    tasks: TaskOffice | None = None
    seal: Seal | None = None
    checks: Checks | None = None
    packer: Packer | None = None
    standing: Callable[[bytes], LogStanding] | None = None


def desk_of(request: Request) -> Desk:
    """The desk of the application that a request came to."""
    return cast("Desk", request.app.state.desk)
