"""The directory of the roll-out's story: who is how far each day, published with real signatures."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate, Paper
from exchange.domain.ids import ZERO_DIGEST
from exchange.domain.paper import BISHKEK
from exchange.embedded.country import PAPER_BRIDGE
from exchange.embedded.demo_bodies import DemoBody
from exchange.embedded.installation import SHAPE
from exchange.embedded.rollout_calendar import NO_PAPER, NO_PAPER_TO_PRESIDENT
from exchange.security.authority import Authority
from exchange.security.cades import Signer
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.keys import KeyPair, load_certificate

_MORNING = time(9, tzinfo=BISHKEK)


class Registry:
    """Publishes the country's directory into a folder, and holds the keys of its bodies."""

    def __init__(self, folder: Path, bodies: Iterable[DemoBody], days: Mapping[str, date], first: date) -> None:
        """Publish version 1: all are listed, and those without a day in `days` are connected.

        Raises:
            OSError: the folder cannot be written.
        """
        at = morning(first)
        self._authority = Authority(folder / "authority", now=at)
        self._keys = self._authority.directory
        self._folder = DirectoryFolder(folder / "directory", self._keys.found(at))
        self._days = days
        self._pairs: dict[str, KeyPair] = {}
        listed = {body.code: self._first(body) for body in bodies}
        self.directory = self._publish(self._version_1(listed, at), at)

    def signer(self, code: str) -> Signer:
        """Who signs for a body now: itself, or the bridge."""
        pair = self._pairs[code]
        return Signer(pair.certificate, pair.key)

    def dawn(self, day: date, after: date) -> None:
        """Publish the day's version, if there is anything to change.

        Who is connected today is tried out since the time before, with a key of its own.

        Args:
            day: today.
            after: the next day that this is called for.
        """
        at = morning(day)
        changed: dict[str, Body] = {}
        for code, its_day in self._days.items():
            if its_day == after:
                changed[code] = self._tried_out(self.directory.bodies[code], at)
            elif its_day == day:
                changed[code] = replace(self.directory.bodies[code], status=BodyStatus.CONNECTED)
        if changed:
            bodies = {**self.directory.bodies, **changed}
            self.directory = self._publish(successor(self.directory, bodies, at), at)

    def _first(self, body: DemoBody) -> Body:
        """As it stands on the first day: connected, or approved and carried by the bridge, which has its key."""
        waits = body.code in self._days
        channel = Paper(NO_PAPER_TO_PRESIDENT if body.code == "prezident" else NO_PAPER, NO_PAPER)
        return Body(
            body.code,
            body.names,
            body.kind,
            BodyStatus.APPROVED if waits else BodyStatus.CONNECTED,
            body.uids,
            body.soate,
            (self._certificate(body.code),),
            gateway=PAPER_BRIDGE if waits else "",
            paper=channel,
        )

    def _tried_out(self, body: Body, at: datetime) -> Body:
        """With a key of its own; what the bridge signed for it before stays valid."""
        former = tuple(replace(listed, revoked=at) for listed in body.certificates)
        own = self._certificate(body.code)
        return replace(body, status=BodyStatus.TESTING, gateway="", certificates=(own, *former))

    def _certificate(self, code: str) -> ListedCertificate:
        pair = self._pairs[code] = self._authority.statement_pair(code)
        return ListedCertificate(pair.certificate.public_bytes(Encoding.DER), CertificateUse.STATEMENT)

    def _version_1(self, bodies: Mapping[str, Body], at: datetime) -> Directory:
        issuer = load_certificate(self._authority.statement_root).public_bytes(Encoding.DER)
        return Directory(
            exchange=self._folder.exchange,
            version=1,
            digest=ZERO_DIGEST,
            previous=ZERO_DIGEST,
            issued=at,
            lanes=SHAPE.lanes,
            journal_partitions=SHAPE.journal_partitions,
            issuers=(issuer,),
            bodies=bodies,
        )

    def _publish(self, directory: Directory, at: datetime) -> Directory:
        return DirectoryPublisher(self._folder).publish(directory, self._keys.publishing(), at)


def morning(day: date) -> datetime:
    """When the day's version is published."""
    return datetime.combine(day, _MORNING).astimezone(UTC)
