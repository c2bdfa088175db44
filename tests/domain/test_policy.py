"""The protocol's limits, as the specification writes them, and the policy of an installation."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import policy
from exchange.domain.errors import ConfigurationError
from exchange.domain.group import parse_group
from exchange.domain.ids import digest
from exchange.resources import resource

KIB = 1024


def test_limits_are_those_of_the_protocol() -> None:
    """Rules 1.7, 2.2 and 5.1; whoever changes one changes the protocol."""
    assert policy.STATEMENT_BYTES == 48 * KIB
    assert policy.RECORD_BYTES == KIB * KIB
    assert policy.FAN_OUT_BYTES == 32 * KIB * KIB
    assert policy.RECIPIENTS == 64
    assert policy.OPEN_ORIGINS == 8
    assert policy.ENTRY_BYTES == 60 * KIB


def test_a_statement_leaves_room_for_its_decision() -> None:
    """An entry is decision, statement and signature: the largest statement must fit (rule 5.1)."""
    assert policy.STATEMENT_BYTES + 10 * KIB < policy.ENTRY_BYTES < policy.RECORD_BYTES


SHIPPED = resource("config", "policy.toml").read_bytes()
BARE = SHIPPED.partition(b"[signed]")[0]
"""Without the tables that may be left out."""


def test_the_policy_that_ships() -> None:
    """The default policy says 5 minutes and 512 KB, and is named by the digest of its bytes."""
    found = policy.parse_policy(SHIPPED)
    assert (found.clock_skew, found.inline_bytes) == (timedelta(minutes=5), 512 * KIB)
    assert found.digest == digest(SHIPPED)


POLICY = """
[letters]
clock_skew_seconds = {0}
inline_bytes = 2
[budget]
statements_per_second = 3
bytes_per_second = 4
burst_seconds = {1}
"""


@pytest.mark.parametrize(("first", "last"), [(1, 5), (7, 2**31 - 1)])
def test_each_line_is_a_field(first: int, last: int) -> None:
    """Every value of the file comes back under its own name, the smallest and the largest included."""
    data = POLICY.format(first, last).encode()
    assert policy.parse_policy(data) == policy.Policy(
        digest=digest(data),
        clock_skew=timedelta(seconds=first),
        inline_bytes=2,
        statements_per_second=3,
        bytes_per_second=4,
        burst_seconds=last,
    )


def test_what_is_in_force_names_the_lists() -> None:
    """Behind the file's own bytes, in one order; what is written is read; without lists it is the file."""
    first, second = (bytes([1]) * 32,), (bytes([2]) * 32, bytes([3]) * 32)
    data = policy.in_force(SHIPPED, [second, first])
    assert data.startswith(SHIPPED)
    assert data == policy.in_force(SHIPPED, [first, second])
    found = policy.parse_policy(data)
    assert found.revocation.crls == (first, second)
    assert found.digest == digest(data) != digest(SHIPPED)
    assert policy.in_force(SHIPPED, []) == SHIPPED
    assert policy.parse_policy(policy.in_force(SHIPPED.rstrip(b"\n"), [first])).revocation.crls == (first,)


def test_what_an_overdue_list_counts() -> None:
    """The shipped policy goes on by the last list, and so do policies of before there were lists."""
    assert policy.parse_policy(SHIPPED).revocation.when_stale is policy.WhenStale.ACCEPT
    assert policy.parse_policy(POLICY.format(1, 2).encode()).revocation == policy.RevocationPolicy()
    strict = SHIPPED.replace(b'when_stale = "accept"', b'when_stale = "refuse"')
    assert policy.parse_policy(strict).revocation.when_stale is policy.WhenStale.REFUSE


@pytest.mark.parametrize(
    "text",
    [
        'revocation = "accept"',
        '[revocation]\nwhen_stale = "perhaps"',
        "[revocation]\nwhen_stale = []",
        "crls = 1",
        "[crls]\nparts = 1",
        "[crls]\nparts = [[]]",
        '[crls]\nparts = [["00"]]',
        '[crls]\nparts = [["xy"]]',
        "[crls]\nparts = [[1]]",
    ],
)
def test_wrong_words_about_lists(text: str) -> None:
    """Each is named by its table."""
    with pytest.raises(ConfigurationError, match=r"revocation\.when_stale|crls\.parts") as caught:
        policy.parse_policy(f"{text}\n{POLICY.format(1, 2)}".encode())
    assert caught.value.code == "policy-invalid"


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "true", '"ten"', "[]", "2147483648", "10000000000000000000000000"])
@pytest.mark.parametrize("name", ["clock_skew_seconds", "statements_per_second"])
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """Only whole numbers above 0 that make sense are taken; the message names the field."""
    lines = [f"{name} = {value}" if line.startswith(name) else line for line in SHIPPED.decode().splitlines()]
    with pytest.raises(ConfigurationError, match=name) as caught:
        policy.parse_policy("\n".join(lines).encode())
    assert caught.value.code == "policy-invalid"


def test_a_policy_says_who_may_write_and_what_is_signed() -> None:
    """Lines in their order; kinds of document as people write them, capitals and blanks aside."""
    more = b"""
[[writing]]
from = "kind:village"
to = "kind:head, -court"
allowed = false
[[writing]]
from = "all"
to = "mfa"
allowed = true
[signed]
signatory = [" \xd0\x9f\xd1\x80\xd0\xb8\xd0\xba\xd0\xb0\xd0\xb7"]
signature = ["Order", "ORDER"]
"""
    found = policy.parse_policy(BARE + more)
    assert [rule.allowed for rule in found.writing] == [False, True]
    assert found.writing[0].recipients == parse_group("kind:head, -court")
    assert found.signatory_kinds == {"приказ"}
    assert found.signature_kinds == {"order"}


@pytest.mark.parametrize(("line", "field"), [("from", "kind:ministri"), ("to", "all, -kind:ministri")])
def test_a_kind_that_does_not_exist_comes_into_no_force(line: str, field: str) -> None:
    """Old policies are still read, as journals need; a new one is refused with the place and the kinds there are."""
    groups = {"from": "all", "to": "all"} | {line: field}
    lines = "".join(f"{name} = '{group}'\n" for name, group in groups.items())
    found = policy.parse_policy(BARE + f"[[writing]]\n{lines}allowed = false".encode())
    message = rf"^policy: writing\[0\]\.{line}: 'kind:ministri' is no kind of body: use one of central, ministry"
    with pytest.raises(ConfigurationError, match=message) as caught:
        policy.require_known_bodies(found)
    assert caught.value.code == "policy-invalid"
    policy.require_known_bodies(policy.parse_policy(SHIPPED))


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("[[writing]]\nfrom = 'all'\nto = 'all'", r"writing\[0\]\.allowed"),
        ("[[writing]]\nfrom = 'all'\nto = 'all'\nallowed = 1", r"writing\[0\]\.allowed"),
        ("[[writing]]\nto = 'all'\nallowed = true", r"writing\[0\]\.from"),
        ("[[writing]]\nfrom = 'all'\nto = 'a b'\nallowed = true", r"writing\[0\]\.to .*character 1"),
        ("[[writing]]\nfrom = 'all'\nto = 'all'\nallow = true", r"writing\[0\]\.allow "),
        ("[writing]\nfrom = 'all'", "writing must be tables"),
        ("[wrting]\nfrom = 'all'", "wrting"),
        ("[signed]\nsignatures = []", r"signed\.signatures"),
        ("[signed]\nsignature = 'Order'", r"signed\.signature"),
        ("[signed]\nsignature = ['']", r"signed\.signature"),
    ],
)
def test_a_wrong_line_is_named(line: str, field: str) -> None:
    """What nobody reads is a slip too: what it was to forbid would be allowed."""
    with pytest.raises(ConfigurationError, match=field) as caught:
        policy.parse_policy(BARE + line.encode())
    assert caught.value.code == "policy-invalid"


@pytest.mark.parametrize("data", [b"signed = 5", b"", b"letters = 5", b"[letters]", b"[[[", b"\xff\xfe"])
def test_no_policy(data: bytes) -> None:
    """A file that is empty, incomplete, no TOML or no UTF-8 is refused by code."""
    with pytest.raises(ConfigurationError, match="policy") as caught:
        policy.parse_policy(data)
    assert caught.value.code == "policy-invalid"


@given(st.binary(max_size=100) | st.text(alphabet="[]letrsbudg.=\"'\n 019", max_size=100).map(str.encode))
def test_any_bytes_are_refused_alike(data: bytes) -> None:
    """Whatever the bytes, the family of errors is one."""
    with pytest.raises(ConfigurationError):
        policy.parse_policy(data)
