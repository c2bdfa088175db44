"""Bodies against one another: what is denied, claimed and stolen, and what the log's proofs say to it, offline."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from exchange.domain.decision import Decided
from exchange.domain.delivery import State
from exchange.domain.event import Event
from exchange.domain.statement import Letter, Receipt, Signed
from exchange.journal.findings import FindingCode
from exchange.security.errors import SignatureRefused
from exchange.security.trust import Trust
from exchange.services.audit.prove import Shown, Spot, check, prove
from exchange.services.audit.states import fold
from exchange.tlog.errors import LogRefused
from exchange.wire.records import decode, encode
from tests.attacks.conftest import Archiving
from tests.attacks.operator import rechained
from tests.audited import Archived
from tests.journal.synthetic import SyntheticJournal, alter, decided_otherwise, index_of
from tests.world import World


def proven(archived: Archived, letter: Signed, folder: Path) -> list[Shown]:
    """What the log has about a letter, written down and checked again with the policy alone."""
    spots = [Spot(place.partition, place.index) for place in archived.places(letter.digest)]
    assert prove(archived.reader, letter.digest, spots, archived.keys.policy, folder)
    return check(folder, archived.keys.policy)


def said_in(folder: Path, shown: Shown) -> Decided:
    """The proven entry."""
    return decode(Decided, (folder / f"{shown.name}.entry").read_bytes())


def kinds(shown: Sequence[Shown]) -> list[str]:
    """What was proven."""
    return [each.kind for each in shown]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archived, Signed, Signed]:
    """One letter that was received and said to be, one that its recipient says nothing of."""
    folder = tmp_path_factory.mktemp("bodies")
    journal = SyntheticJournal(World(folder / "world"))
    received, silent = journal.letter("alpha", "beta"), journal.letter("alpha", "gamma", message_id="m-2")
    journal.receipt("beta", received, "alpha", Event.DELIVERED)
    archived = Archived(folder / "archive", journal)
    archived.archive()
    return archived, received, silent


def test_a_sender_denies_having_sent(told: tuple[Archived, Signed, Signed], tmp_path: Path) -> None:
    """Anybody who has the proof: the sender's signature over the statement is in a witnessed log."""
    archived, letter, _ = told
    shown = proven(archived, letter, tmp_path)[0]
    entry = said_in(tmp_path, shown)
    trust = Trust(archived.journal.world.published.version(entry.decision.directory_version))
    assert trust.verify_statement(entry.statement, entry.signature, entry.decision.decided) == "alpha"
    assert decode(Letter, entry.statement).recipients == ("beta",)
    assert shown.witnessed


def test_a_recipient_denies_having_received(told: tuple[Archived, Signed, Signed], tmp_path: Path) -> None:
    """Anybody who has the proof: its own receipt is in the log."""
    archived, letter, _ = told
    shown = proven(archived, letter, tmp_path)
    assert kinds(shown) == ["letter", "receipt"]
    entry = said_in(tmp_path, shown[1])
    receipt = decode(Receipt, entry.statement)
    trust = Trust(archived.journal.world.published.version(entry.decision.directory_version))
    assert trust.verify_statement(entry.statement, entry.signature, entry.decision.decided) == "beta"
    assert (receipt.letter, receipt.event) == (letter.digest, Event.DELIVERED)


def test_a_recipient_says_nothing(told: tuple[Archived, Signed, Signed], tmp_path: Path) -> None:
    """Anybody who has the proof: the decision that names it is what put the letter into its inbox (rule 3.3)."""
    archived, _, letter = told
    shown = proven(archived, letter, tmp_path)
    assert kinds(shown) == ["letter"]
    assert said_in(tmp_path, shown[0]).decision.recipients == ("gamma",)


def test_a_body_claims_a_receipt_that_was_never_made(told: tuple[Archived, Signed, Signed], tmp_path: Path) -> None:
    """Whoever checks the proof: another entry, put beside a proof of this log, does not lead to the checkpoint.

    Even one that the recipient signs for its friend today, with a decision as the exchange would have made it.
    """
    archived, received, silent = told
    folder = tmp_path / "claimed"
    true = said_in(folder, proven(archived, received, folder)[1])
    signed = archived.journal.speaker("gamma").receipt(silent, "alpha", Event.DELIVERED)
    decision = dataclasses.replace(true.decision, statement=signed.digest)
    (folder / "2-receipt.entry").write_bytes(encode(Decided(decision, signed.statement, signed.signature)))
    with pytest.raises(LogRefused, match=r"2-receipt\.proof") as refused:
        check(folder, archived.keys.policy)
    assert refused.value.code == "proof-invalid"


def test_a_body_signs_a_receipt_for_another(archive: Archiving, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The auditor: a receipt of a body that the letter was not for changes nothing, and one in another's name fails."""
    journal = SyntheticJournal(World(tmp_path_factory.mktemp("another")))
    letter = journal.letter("alpha", "beta")
    index = len(journal.records)
    journal.receipt("gamma", letter, "alpha", Event.DELIVERED)
    honest = archive(of=journal)
    assert honest.verified().sound
    folded = fold(honest.opening()(), honest.keys.policy, lambda _done, _of: None)
    assert (folded.states, folded.flags.total()) == ({State.ACCEPTED: 1}, 1)
    forger = dataclasses.replace(journal.speaker("beta"), signer=journal.world.signers["gamma"])
    forged = forger.receipt(letter, "alpha", Event.DELIVERED)

    def swap(decided: Decided) -> Decided:
        decision = dataclasses.replace(decided.decision, statement=forged.digest)
        return Decided(decision, forged.statement, forged.signature)

    swapped = next(
        at
        for at in range(index, len(journal.records))
        if decode(Decided, journal.entry(at)).decision.statement != letter.digest
        and decode(Decided, journal.entry(at)).decision.recipients == ("alpha",)
    )
    report = archive(rechained(alter(journal, swapped, swap)), of=journal).verified()
    assert FindingCode.NOT_TAKABLE in report.found


def test_a_stolen_key_is_used_after_its_revocation(
    archive: Archiving, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Routers at once; and where they are the operator's, the auditor, whatever time the decision bears."""
    journal = SyntheticJournal(World(tmp_path_factory.mktemp("stolen")))
    world = journal.world
    journal.letter("alpha", "beta")
    body = world.directory.bodies["alpha"]
    revoked = dataclasses.replace(body.certificates[0], revoked=journal.now)
    world.change(dataclasses.replace(body, certificates=(revoked,)))
    journal.stand_on(world.ground)
    stolen = journal.speaker("alpha").letter("gamma", message_id="stolen")
    with pytest.raises(SignatureRefused):
        world.ground.trust.verify_statement(stolen.statement, stolen.signature, journal.now + timedelta(seconds=1))
    assert archive(of=journal).verified().sound
    index = index_of(journal, lambda decided: decided.decision.recipients == ("beta",))
    decided = decode(Decided, journal.entry(index)).decision
    late = dataclasses.replace(
        decided,
        decided=journal.now + timedelta(seconds=2),
        arrived=journal.now + timedelta(seconds=1),
        directory_version=world.directory.version,
        directory_digest=world.directory.digest,
        statement=stolen.digest,
        recipients=("gamma",),
        offset=decided.offset + 1,
    )
    taken = journal.with_entry(index, late, stolen)
    report = archive(rechained([*journal.records, taken]), of=journal).verified()
    assert FindingCode.NOT_TAKABLE in report.found
    early = dataclasses.replace(late, decided=decided.decided - timedelta(days=1))
    backdated = journal.with_entry(index, early, stolen)
    assert FindingCode.DECISION_TIME in archive(rechained([*journal.records, backdated]), of=journal).verified().found


def test_nothing_is_claimed_by_an_empty_folder(tmp_path: Path, told: tuple[Archived, Signed, Signed]) -> None:
    """Who shows nothing is told so."""
    with pytest.raises(Exception, match=r"has no \.proof files"):
        check(tmp_path, told[0].keys.policy)


def test_the_same_decision_otherwise(archive: Archiving, journal: SyntheticJournal) -> None:
    """The auditor: recipients that the statement does not give."""
    index = index_of(journal, lambda decided: decided.decision.recipients == ("beta", "gamma"))
    records = rechained(alter(journal, index, decided_otherwise(recipients=("beta",))))
    assert FindingCode.RECIPIENTS_DIFFER in archive(records).verified().found
