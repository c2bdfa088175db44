"""The directory of a throw-away installation: made once, later only vouched for again and completed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from exchange.bus.topics import ClusterShape
from exchange.domain.directory import Body, BodyStatus, CertificateUse, Directory, ListedCertificate
from exchange.domain.ids import ZERO_DIGEST
from exchange.embedded.demo_bodies import DemoBody
from exchange.embedded.speakers import service_bodies
from exchange.security.authority import Authority
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.directory.publisher import DirectoryPublisher, successor
from exchange.security.keys import KeyFiles, load_certificate


class DemoDirectory:
    """Publishes the directory of an installation."""

    def __init__(self, folder: Path, authority: Authority, bodies: Sequence[DemoBody], now: datetime) -> None:
        """Nothing is written yet.

        Args:
            folder: the directory's.
            authority: whose keys sign it, and whose certificates it lists.
            bodies: who is to be listed, beside the exchange's own.
            now: present time (UTC).
        """
        self._folder = folder
        self._authority = authority
        self._bodies = bodies
        self._now = now

    def publish(self, shape: ClusterShape) -> None:
        """Version 1; later versions are the operators' own."""
        keys = self._authority.directory
        folder = DirectoryFolder(self._folder, keys.found(self._now))
        issuer = load_certificate(self._authority.statement_root).public_bytes(Encoding.DER)
        first = Directory(
            exchange=folder.exchange,
            version=1,
            digest=ZERO_DIGEST,
            previous=ZERO_DIGEST,
            issued=self._now,
            lanes=shape.lanes,
            journal_partitions=shape.journal_partitions,
            issuers=(issuer,),
            bodies=self._wanted(),
        )
        DirectoryPublisher(folder).publish(first, keys.publishing(), self._now)

    def refresh(self) -> None:
        """Vouch for the newest version again, when that is due; list bodies that the installation did not have."""
        keys = self._authority.directory
        folder = DirectoryFolder.at(self._folder, keys.root)
        latest, publisher = folder.latest(), DirectoryPublisher(folder)
        missing = {code: body for code, body in self._wanted().items() if code not in latest.bodies}
        if missing:
            after = successor(latest, {**latest.bodies, **missing}, self._now)
            publisher.publish(after, keys.publishing(), self._now)
        elif self._now > folder.newest().fresh_until:
            publisher.stamp(keys.publishing().clock, self._now)

    def _wanted(self) -> Mapping[str, Body]:
        return {**{body.code: self._listed(body) for body in self._bodies}, **service_bodies(self._authority)}

    def _listed(self, body: DemoBody) -> Body:
        """Who is carried connects with the gateway's certificate, and signs with its own."""
        files = self._authority.body(body.code)
        signs = _certificate(files.statement, CertificateUse.STATEMENT)
        connects = _certificate(files.transport, CertificateUse.TRANSPORT)
        return Body(
            code=body.code,
            names=body.names,
            kind=body.kind,
            status=BodyStatus.CONNECTED,
            uids=body.uids,
            soate=body.soate,
            certificates=(signs,) if body.gateway else (signs, connects),
            gateway=body.gateway,
        )


def _certificate(files: KeyFiles, use: CertificateUse) -> ListedCertificate:
    return ListedCertificate(load_certificate(files.certificate).public_bytes(Encoding.DER), use)
