"""The protocol's limits, as the specification writes them."""

from exchange.domain import policy

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
