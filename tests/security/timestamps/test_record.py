"""Evidence records: made, renewed by new certificates and new digests, and all that must not pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256, sha512

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.security.keys import KeyPair
from exchange.security.timestamps import Authorities, Imprint, TimestampError
from exchange.security.timestamps.hash_tree import HashTree, node, root_of
from exchange.security.timestamps.record import RECORD_BYTES, ArchiveStamp, EvidenceRecord, RecordInvalid
from exchange.security.timestamps.renewal import next_chain, next_stamp, records
from exchange.security.timestamps.request import encoded_algorithm
from exchange.security.validity import Validity
from tests.security.support import certify_root
from tests.security.timestamps.forging import Forger, digests_of, issued
from tests.strategies import mutations

OBJECTS = tuple(f"object {number}".encode() for number in range(10))


def year(number: int) -> datetime:
    """The beginning of one."""
    return datetime(number, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def root() -> KeyPair:
    """Vouches for all authorities until 2049."""
    return certify_root("root of authorities")


@dataclass
class Batch:
    """Objects in pairs, and the tokens that they got."""

    root: KeyPair
    objects: tuple[bytes, ...] = OBJECTS
    tokens: list[list[bytes]] = field(default_factory=list)

    def begin(self, at: int, ends: int, algorithm: str = "sha256") -> None:
        """Stamp a hash tree: the first one, or one by another digest."""
        self.tokens.append([self._stamp(next_chain(digests_of(self.objects), self.tokens, algorithm), at, ends)])

    def renew(self, at: int, ends: int) -> None:
        """Stamp the last token."""
        self.tokens[-1].append(self._stamp(next_stamp(self.tokens), at, ends))

    def record(self, pair: int = 1) -> EvidenceRecord:
        """A pair's."""
        return records(digests_of(self.objects), self.tokens)[pair]

    def _stamp(self, imprint: Imprint, at: int, ends: int) -> bytes:
        signer = issued(self.root, validity=Validity(year(at - 1), year(ends)))
        return Forger(signer).token(imprint, year(at))

    @property
    def authorities(self) -> Authorities:
        """Who is trusted."""
        return Authorities((self.root.certificate,))


@pytest.fixture(scope="module")
def old(root: KeyPair) -> Batch:
    """Begun in 2026, renewed by a certificate, by a digest, and by a certificate again."""
    batch = Batch(root)
    batch.begin(2026, 2030)
    batch.renew(2029, 2036)
    batch.begin(2035, 2040, "sha512")
    batch.renew(2039, 2046)
    return batch


def refusal(record: EvidenceRecord, objects: Sequence[bytes], batch: Batch, now: datetime) -> str:
    """What is said against a record."""
    with pytest.raises(TimestampError) as refused:
        record.verify(objects, batch.authorities, now)
    assert refused.value.code in {"evidence-record-invalid", "timestamp-invalid"}
    return str(refused.value)


@given(st.integers(1, 40), st.data())
def test_every_leaf_leads_to_the_root(count: int, data: st.DataObject) -> None:
    """Of trees of every size; another leaf does not."""
    leaves = [sha256(bytes([number])).digest() for number in range(count)]
    tree = HashTree(leaves, "sha256")
    index = data.draw(st.integers(0, count - 1))
    assert root_of(leaves[index], tree.reduced(index), "sha256") == tree.root
    if count > 1:
        with pytest.raises(ValueError, match="other objects"):
            root_of(bytes(32), tree.reduced(index), "sha256")


def test_a_tree_by_hand() -> None:
    """RFC 4998, 4.2.1: of three leaves; the smaller of two comes first."""
    one, two, three = (sha256(each).digest() for each in (b"1", b"2", b"3"))
    pair = sha256(b"".join(sorted((one, two)))).digest()
    tree = HashTree([one, two, three], "sha256")
    assert tree.root == sha256(b"".join(sorted((pair, three)))).digest() == node([three, pair], "sha256")
    assert tree.reduced(0) == (tuple(sorted((one, two))), (three,))
    assert tree.reduced(2) == ((tuple(sorted((pair, three)))),)


def test_over_twenty_years(old: Batch) -> None:
    """The first time stays provable; each pair has its record, and bytes read again are the same."""
    for pair in range(len(OBJECTS) // 2):
        record = EvidenceRecord.read(old.record(pair).encoded)
        assert record.encoded == old.record(pair).encoded
        evidence = record.verify(OBJECTS[2 * pair : 2 * pair + 2], old.authorities, year(2042))
        assert (evidence.since, evidence.until) == (year(2026), year(2046))
        assert [stamp.token.at.year for stamp in evidence.stamps] == [2026, 2029, 2035, 2039]
    chains = old.record().chains
    assert [len(chain) for chain in chains] == [2, 2]
    assert [bool(stamp.reduced) for chain in chains for stamp in chain] == [True, False, True, False]


def test_the_second_chain_by_hand(old: Batch) -> None:
    """RFC 4998, 5.2: digest of the object's digest and of that of the chains before."""
    record = old.record()
    before = EvidenceRecord(record.chains[:1]).encoded
    first = before[before.index(b"\x30", 4 + 3 + 17) :]
    leaf = sha512(sha512(OBJECTS[2]).digest() + sha512(first).digest()).digest()
    assert leaf in record.chains[1][0].reduced[0]


def test_one_object_alone_or_another(old: Batch) -> None:
    """A record proves one of its pair as well; nothing else."""
    record = old.record(1)
    assert record.verify(OBJECTS[3:4], old.authorities, year(2042)).since == year(2026)
    for objects in (OBJECTS[:2], (OBJECTS[2], OBJECTS[4]), (b"",)):
        assert "other objects" in refusal(record, objects, old, year(2042))


def test_who_forgot_to_renew(root: KeyPair, old: Batch) -> None:
    """A gap between two time-stamps, or behind the last one, is no proof."""
    batch = Batch(root)
    batch.begin(2026, 2030)
    assert batch.record().verify(OBJECTS[2:4], batch.authorities, year(2029)).until == year(2030)
    assert "nobody renewed" in refusal(batch.record(), OBJECTS[2:4], batch, year(2031))
    batch.renew(2032, 2040)
    assert "no longer held" in refusal(batch.record(), OBJECTS[2:4], batch, year(2033))
    assert "nobody renewed" in refusal(old.record(), OBJECTS[2:4], old, year(2038))


def test_parts_of_two_records(root: KeyPair, old: Batch) -> None:
    """Chains and time-stamps belong to the very ones before them."""
    other = Batch(root, tuple(each + b"!" for each in OBJECTS))
    other.begin(2026, 2030)
    other.renew(2029, 2036)
    mine, theirs = old.record().chains, other.record().chains
    mixed = [
        EvidenceRecord((theirs[0], mine[1])),
        EvidenceRecord(((mine[0][0], theirs[0][1]), mine[1])),
        EvidenceRecord((mine[1], mine[0])),
        EvidenceRecord((mine[0][:1], mine[1])),
        EvidenceRecord((mine[0], mine[0])),
    ]
    for record in mixed:
        refusal(record, OBJECTS[2:4], old, year(2042))
    foreign = Batch(certify_root("nobody knows"))
    foreign.begin(2026, 2030)
    assert "trusted" in refusal(foreign.record(), OBJECTS[2:4], old, year(2027))


def named(digest: str) -> bytes:
    """The digest before a time-stamp, as others name it."""
    return b"\xa0" + encoded_algorithm(digest)[1:]


def test_what_others_write_before_a_time_stamp(old: Batch) -> None:
    """The digest, which must be the token's, and attributes; they stay, since later chains are over them."""
    chain = old.record().chains[0]
    hinted = EvidenceRecord((tuple(replace(stamp, hints=named("sha256") + b"\xa1\x00") for stamp in chain),))
    read = EvidenceRecord.read(hinted.encoded)
    assert read.encoded == hinted.encoded
    assert read.verify(OBJECTS[2:4], old.authorities, year(2034)).until == year(2036)
    for hints in (named("sha512"), b"\xa1\x00" + named("sha256"), b"\xa3\x00"):
        odd = EvidenceRecord((tuple(replace(stamp, hints=hints) for stamp in chain),))
        with pytest.raises(RecordInvalid):
            EvidenceRecord.read(odd.encoded)


def test_a_time_stamp_of_one_object_is_none_of_two(root: KeyPair) -> None:
    """Without a hash tree it is over one object alone."""
    signer = issued(root, validity=Validity(year(2025), year(2030)))
    token = Forger(signer).token(Imprint.of(OBJECTS[0]), year(2026))
    record, batch = EvidenceRecord(((ArchiveStamp(token),),)), Batch(root)
    assert record.verify(OBJECTS[:1], batch.authorities, year(2027)).since == year(2026)
    assert "other objects" in refusal(record, OBJECTS[:2], batch, year(2027))


def test_a_list_of_one_hash(old: Batch) -> None:
    """It would let the leaf itself be the root."""
    (first, *rest), *others = old.record().chains
    odd = EvidenceRecord(((replace(first, reduced=(first.reduced[0][:1],)), *rest), *others))
    refusal(odd, OBJECTS[2:4], old, year(2042))


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
def test_any_other_bytes_have_one_kind_of_error(old: Batch, data: st.DataObject) -> None:
    """Near misses of a record: refused, or the change is where nothing is proven."""
    changed = data.draw(mutations(old.record().encoded))
    try:
        evidence = EvidenceRecord.read(changed).verify(OBJECTS[2:4], old.authorities, year(2042))
    except TimestampError as error:
        assert error.code in {"evidence-record-invalid", "timestamp-invalid"}
    else:
        assert (evidence.since, evidence.until) == (year(2026), year(2046))


@pytest.mark.parametrize("data", [b"", bytes(RECORD_BYTES + 1), b"0\x0b\x02\x01\x01\x30\x00\x30\x04\x30\x02\x30\x00"])
def test_what_is_no_record(data: bytes) -> None:
    """Empty, endless, and one without time-stamps."""
    with pytest.raises(RecordInvalid):
        EvidenceRecord.read(data)
