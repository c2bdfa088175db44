"""Certificates that were revoked before the decision, by their issuer's list or in the directory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from exchange_verify.certificates import check_lists
from exchange_verify.errors import Refused

from exchange.domain.decision import Decided
from exchange.security import der
from exchange.security.cades import signing
from exchange.security.keys import KeyPair
from tests.security.lists import revocation_list
from tests.security.support import certify_root
from tests.security.timestamps.forging import ECDSA, Forger
from tests.verify.making import Course
from tests.world import BODIES, NOW, World

EARLIER = NOW - timedelta(hours=1)


@pytest.fixture(scope="module")
def stolen(tmp_path_factory: pytest.TempPathFactory, stamper: Forger) -> Course:
    """Gamma's key was stolen: its issuer revokes the certificate, and then the directory does."""
    world = World(tmp_path_factory.mktemp("revoked"), bodies=(*BODIES, "exchange-tracker"))
    certificate = world.signers["gamma"].certificate
    return Course(world, stamper, [], revoked={certificate.serial_number: EARLIER})


def test_by_the_issuer_s_list(stolen: Course) -> None:
    """The policy that the decision names names the list: an exchange that took the receipt all the same is found."""
    found = stolen.look(stolen.files())
    assert found.step == 5
    assert "statements/0006-receipt.asics" in found.refused
    assert "revoked by its issuer" in found.refused


def test_what_others_said_still_holds(stolen: Course) -> None:
    """A list concerns one certificate."""
    assert stolen.look(stolen.files(stolen.refused)).refused == ""


@pytest.mark.parametrize(("at", "step"), [(EARLIER, 5), (NOW + timedelta(days=1), 0)])
def test_in_the_directory(course: Course, at: object, step: int) -> None:
    """As of the decision's time: what was accepted before stays valid (rule 3.2)."""
    listed = course.world.directory.bodies["gamma"].certificates
    certificates = (replace(listed[0], revoked=at),)  # type: ignore[arg-type]  # a time
    version = course.change("gamma", certificates=certificates)
    receipt = course.gathered(course.archive, course.letter).said[-1].decided.statement

    def alter(decided: Decided) -> Decided:
        named = replace(decided.decision, directory_version=version.version, directory_digest=version.digest)
        return replace(decided, decision=named) if decided.statement == receipt else decided

    found = course.look(course.files(archive=course.archived(alter)))
    assert (found.step if found.refused else 0) == step
    assert not step or "it was revoked at" in found.refused


def test_a_list_of_nobody_s(course: Course) -> None:
    """Only an issuer's own list counts, and it must be there."""
    files = course.files()
    name = next(each for each in files if each.startswith("crls/"))
    found = course.look({**files, name: files[name][:-1] + bytes([files[name][-1] ^ 1])})
    assert found.step == 5
    assert f"{name}: it is not the list that the policy names" in found.refused


def judged(course: Course, crl: bytes, when_stale: str = "accept", at: datetime = NOW) -> None:
    """A statement by alpha under a policy that names this list, which an operator may have made."""
    policy = f'[revocation]\nwhen_stale = "{when_stale}"\n[crls]\nparts = [["{sha256(crl).hexdigest()}"]]\n'
    issuer = course.statement_root.certificate
    path = [course.world.signers["alpha"].certificate, issuer]
    check_lists(path, policy.encode(), {"crls/1.crl": crl}, [issuer], at)


def impostor(course: Course) -> KeyPair:
    """Another key under the issuer's very name."""
    return KeyPair(certify_root().key, course.statement_root.certificate)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda course: revocation_list(impostor(course)), "not signed by an issuer that the directory lists"),
        (
            lambda course: revocation_list(course.statement_root, extensions=[(x509.DeltaCRLIndicator(1), True)]),
            "it is partial",
        ),
        (lambda course: revocation_list(course.statement_root, by=hashes.SHA224()), "signed weakly"),
        (lambda _: b"no list", "crls/1.crl: is not what it should be"),
    ],
)
def test_a_list_that_is_none(course: Course, make: Callable[[Course], bytes], said: str) -> None:
    """An operator's policy may name whatever it likes: it frees nobody who was revoked."""
    with pytest.raises(Refused, match=said):
        judged(course, make(course))


def test_a_list_that_is_overdue(course: Course) -> None:
    """The policy says whether it counts, at the decision's time."""
    crl = revocation_list(course.statement_root, this_update=NOW - timedelta(days=2), next_update=NOW)
    judged(course, crl, "refuse")
    judged(course, crl, at=NOW + timedelta(seconds=1))
    with pytest.raises(Refused, match="overdue"):
        judged(course, crl, "refuse", NOW + timedelta(seconds=1))


def without_end(course: Course) -> bytes:
    """The issuer's list, signed anew without the time of the next one."""
    crl = x509.load_der_x509_crl(course.crl)
    ends = f"{crl.next_update_utc:%y%m%d%H%M%SZ}".encode()
    whole = crl.tbs_certlist_bytes
    inside = whole[der.enter(whole, 0, der.SEQUENCE, len(whole), "list") :]
    said = der.encode(der.SEQUENCE, inside.replace(b"\x17\x0d" + ends, b"", 1))
    signed = der.encode(0x03, b"\0", signing(course.statement_root.key)(said))
    return der.encode(der.SEQUENCE, said, bytes.fromhex(ECDSA), signed)


def test_a_list_without_an_end(course: Course) -> None:
    """Nobody can say that it was the newest."""
    crl = without_end(course)
    judged(course, crl)
    with pytest.raises(Refused, match="overdue"):
        judged(course, crl, "refuse")
