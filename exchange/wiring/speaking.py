"""A service's way to say something: its own body's key, spool and connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from exchange import system
from exchange.agent.agent import Member
from exchange.agent.drafts import Drafting
from exchange.agent.history import TrustHistory
from exchange.agent.office import Office
from exchange.agent.spool import Spool
from exchange.agent.status import Counters
from exchange.agent.timing import Timing
from exchange.agent.transport import Transport
from exchange.bus.connection import KafkaSettings
from exchange.bus.producer import SubmissionProducer
from exchange.bus.reader import PositionedReader
from exchange.bus.topics import ROUTED_BATCH_BYTES
from exchange.domain.errors import ConfigurationError
from exchange.domain.policy import RECORD_BYTES
from exchange.security.cades import Signer
from exchange.security.directory.folder import DirectoryFolder
from exchange.security.keys import KeyFiles, load_key_pair
from exchange.services.speaking import Speaker
from exchange.settings.speaking import SpeakingSettings
from exchange.settings.tables import DirectorySettings


@contextmanager
def open_speaker(
    body: str, speaking: SpeakingSettings, kafka: KafkaSettings, directory: DirectorySettings
) -> Iterator[Speaker]:
    """Open the spool of a service that speaks as `body`; its `run` is the caller's to start and to end before.

    Args:
        body: one of `exchange.domain.own_bodies.SERVICE_BODIES`.
        speaking: its key and spool.
        kafka: as the service's principal.
        directory: a folder that has a version, e.g. one that is followed.

    Raises:
        ConfigurationError: its key and certificate cannot be used.
        DirectoryRefused: the directory cannot be used.
        SpoolError: the spool cannot be opened.
    """
    history = TrustHistory(DirectoryFolder.at(directory.folder, directory.root))
    drafting = Drafting(history.directory.exchange, RECORD_BYTES, system.now, system.random_bytes)
    producer = partial(SubmissionProducer, kafka, batch_bytes=ROUTED_BATCH_BYTES)
    transport = Transport(producer, partial(PositionedReader, kafka))
    try:
        speaking.spool.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"[speaking] spool: {speaking.spool} cannot be made ({error.strerror}): name a folder of this process's own"
        )
        raise ConfigurationError(message) from error
    with Spool(speaking.spool / "spool.sqlite") as spool:
        office = Office(spool, drafting, history, Timing(), Counters(), system.monotonic)
        yield Speaker(office, Member(body, partial(signer_of, speaking.statement)), transport)


def signer_of(files: KeyFiles) -> Signer:
    """The key that lies in place now; raises `ConfigurationError` when it cannot be used."""
    pair = load_key_pair(files)
    return Signer(pair.certificate, pair.key)
