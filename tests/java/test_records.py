"""Our evidence records (RFC 4998) before others' eyes: the EU's validator DSS and Bouncy Castle, offline."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.security.timestamps import Imprint
from exchange.security.timestamps.record import EvidenceRecord
from exchange.security.timestamps.renewal import next_chain, next_stamp, records
from tests.java.programs import run_program
from tests.security.support import certify_root
from tests.security.timestamps.forging import Forger, digests_of, issued

pytestmark = pytest.mark.server

OBJECTS = tuple(f"object {number}".encode() for number in range(10))
PAIR = 1


def made() -> tuple[dict[str, bytes], bytes]:
    """Records of a pair of the same batch after each of its renewals, and the root behind all time-stamps."""
    root = certify_root("root of authorities")
    tokens: list[list[bytes]] = []
    found: dict[str, bytes] = {}

    def stamp(year: int, imprint: Imprint) -> bytes:
        return Forger(issued(root)).token(imprint, datetime(year, 1, 1, tzinfo=UTC))

    def keep(name: str) -> None:
        found[name] = records(digests_of(OBJECTS), tokens)[PAIR].encoded

    tokens.append([stamp(2022, next_chain(digests_of(OBJECTS), tokens, "sha256"))])
    keep("begun")
    tokens[-1].append(stamp(2023, next_stamp(tokens)))
    keep("renewed")
    tokens.append([stamp(2024, next_chain(digests_of(OBJECTS), tokens, "sha512"))])
    keep("another digest")
    tokens[-1].append(stamp(2025, next_stamp(tokens)))
    keep("renewed again")
    return found, root.certificate.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], str]:
    """What each library says, by the record's name; two more are of another object, or altered."""
    folder = tmp_path_factory.mktemp("records")
    found, root = made()
    (folder / "root.pem").write_bytes(root)
    objects = OBJECTS[2 * PAIR : 2 * PAIR + 2]
    cases = {name: (data, objects) for name, data in found.items()}
    whole = found["renewed again"]
    cases["other object"] = (whole, (objects[0], b"another"))
    token = EvidenceRecord.read(whole).chains[0][0].token
    at = whole.index(token) + len(token) - 1
    cases["altered"] = (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], objects)
    for name, (record, contents) in cases.items():
        (folder / name).mkdir()
        (folder / name / "record.ers").write_bytes(record)
        for number, data in enumerate(contents):
            (folder / name / f"object {number}").write_bytes(data)
    lines = run_program("RecordCheck", folder, folder / "root.pem", *(folder / name for name in cases))
    return {(Path(at).name, by): said for at, by, said in lines}


@pytest.mark.parametrize(
    ("name", "stamps"), [("begun", 1), ("renewed", 2), ("another digest", 3), ("renewed again", 4)]
)
def test_records_hold(judged: Mapping[tuple[str, str], str], name: str, stamps: int) -> None:
    """Both objects, each time-stamp and each renewal; whom to trust is not what these libraries are asked here."""
    assert judged[name, "dss"] == f"2 of 2 objects, {stamps} of {stamps} time-stamps"
    assert judged[name, "bouncycastle"] == "2 of 2 objects"


def test_another_object_is_none_of_it(judged: Mapping[tuple[str, str], str]) -> None:
    """One of the two is the record's."""
    assert judged["other object", "dss"] == "1 of 2 objects, 4 of 4 time-stamps"
    assert judged["other object", "bouncycastle"] == "1 of 2 objects"


def test_a_byte_of_the_first_time_stamp(judged: Mapping[tuple[str, str], str]) -> None:
    """Its signature does not hold, and the time-stamp that renewed it is over something else."""
    assert judged["altered", "dss"] == "2 of 2 objects, 2 of 4 time-stamps"
    assert judged["altered", "bouncycastle"] == "refused"
