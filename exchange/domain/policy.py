"""Limits of the protocol and the installation's policy."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from exchange.domain.deadline import NO_DEADLINES, DeadlinePolicy
from exchange.domain.deadline_lines import deadline_policy
from exchange.domain.errors import ConfigurationError
from exchange.domain.group import Expression, GroupInvalid, require_known_kinds
from exchange.domain.ids import DIGEST_BYTES, digest
from exchange.domain.policy_lines import expression, invalid, require_keys, tables
from exchange.domain.writing import WritingRule

# Rule 1.7; the protocol's own, the same for every installation.
STATEMENT_BYTES = 48 * 1024
RECORD_BYTES = 1024 * 1024
# A commitment takes 35 bytes at least, so a statement cannot name more.
ITEMS = STATEMENT_BYTES // 35
# Of a card in all: addressees, links, tasks and their executors, fields without a name. A recipient's document
# system spends up to 0.4 ms on each, so a card of a hundred thousand would hold up its other letters.
CARD_PARTS = 4_000
FAN_OUT_BYTES = 32 * 1024 * 1024
RECIPIENTS = 64
# A letter to a group names the version of the directory that its sender saw. So many versions before or behind
# the one in force are proven beside it (ADR 0013); further away the sender is asked to say again whom it means.
GROUP_VERSIONS = 16
# Rule 2.2.
OPEN_ORIGINS = 8
# Closed ones are remembered for ever, or their first statements could be said again; a body that
# opens one a second would fill its lane's memory. A spool restored every day needs 27 years for so many.
ORIGINS = 10_000
# Rule 5.1.
ENTRY_BYTES = 60 * 1024
# Of an entry, what is neither statement nor signature nor a recipient's code.
DECISION_BYTES = 512

_TOO_LARGE = 2**31


class WhenStale(StrEnum):
    """What a certificate is worth whose issuer's revocation list is overdue."""

    ACCEPT = "accept"
    """It goes on by the last list."""
    REFUSE = "refuse"
    """Its statements wait for the next list."""


@dataclass(frozen=True, slots=True)
class RevocationPolicy:
    """What counts beside the directory when certificates are revoked (ADR 0014).

    Attributes:
        when_stale: what counts when a list is overdue.
        crls: the lists in force, each as the SHA-256 of its parts in their order; the router's to write.
    """

    when_stale: WhenStale = WhenStale.ACCEPT
    crls: tuple[tuple[bytes, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What one installation allows.

    Attributes:
        digest: SHA-256 of the policy's bytes, what decisions name: the file and what `in_force` adds to it.
        clock_skew: how far in the future a statement may be created (rule 3.2).
        inline_bytes: largest sum of a statement's inline contents, bytes.
        statements_per_second: budget of one body in its lane (rule 3.4).
        bytes_per_second: budget of one body in its lane, record bytes × recipients (rule 3.4).
        burst_seconds: how many seconds of budget may be used at once.
        writing: who may write to whom; where none of them fits, everybody may.
        signatory_kinds: kinds of document, in small letters, that must name who signed them.
        signature_kinds: kinds of document, in small letters, that must carry a person's signature.
        revocation: about revocation lists.
        deadlines: until when what must be done; no verdict depends on it.
    """

    digest: bytes
    clock_skew: timedelta
    inline_bytes: int
    statements_per_second: int
    bytes_per_second: int
    burst_seconds: int
    writing: tuple[WritingRule, ...] = ()
    signatory_kinds: frozenset[str] = frozenset()
    signature_kinds: frozenset[str] = frozenset()
    revocation: RevocationPolicy = RevocationPolicy()
    deadlines: DeadlinePolicy = NO_DEADLINES


def in_force(file: bytes, crls: Sequence[Sequence[bytes]]) -> bytes:
    """The bytes of the policy in force: the file's, and which revocation lists are used beside it.

    Decisions name one digest for all that decides beside the directory, so it covers the lists as well. One set of
    lists has one text; without lists the policy is the file.

    Args:
        file: the policy file's bytes.
        crls: of each list the SHA-256 of its parts in their order.
    """
    if not crls:
        return file
    lines = [f"  {json.dumps([part.hex() for part in parts])},\n" for parts in sorted(map(list, crls))]
    return b"%s\n[crls]\nparts = [\n%s]\n" % (file, "".join(lines).encode())


def parse_policy(data: bytes) -> Policy:
    """The policy that a file's bytes state (`docs/policy.md` explains each line).

    Raises:
        ConfigurationError: `policy-invalid`, naming the field.
    """
    try:
        text = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"the policy is no TOML in UTF-8: {error}"
        raise ConfigurationError(message, code="policy-invalid") from error
    _require_known(text)
    return Policy(
        digest=digest(data),
        clock_skew=timedelta(seconds=_positive(text, "letters", "clock_skew_seconds")),
        inline_bytes=_positive(text, "letters", "inline_bytes"),
        statements_per_second=_positive(text, "budget", "statements_per_second"),
        bytes_per_second=_positive(text, "budget", "bytes_per_second"),
        burst_seconds=_positive(text, "budget", "burst_seconds"),
        writing=_writing(text.get("writing", [])),
        signatory_kinds=_kinds(text, "signatory"),
        signature_kinds=_kinds(text, "signature"),
        revocation=RevocationPolicy(_when_stale(text), _crls(text)),
        deadlines=deadline_policy(text),
    )


def require_known_bodies(policy: Policy) -> None:
    """Refuse rules about kinds of bodies that do not exist, before a policy comes into force.

    Apart from `parse_policy`, by which policies of long ago are replayed.

    Raises:
        ConfigurationError: `policy-invalid`, naming the field.
    """
    for place, named in _named(policy):
        try:
            require_known_kinds(named)
        except GroupInvalid as error:
            raise invalid(f"{place}:", str(error)) from error


def _named(policy: Policy) -> Iterator[tuple[str, Expression]]:
    """Every group that a policy names, with its place."""
    for index, rule in enumerate(policy.writing):
        yield f"writing[{index}].from", rule.senders
        yield f"writing[{index}].to", rule.recipients
    for index, deadline in enumerate(policy.deadlines.rules):
        for name, bodies in (("from", deadline.senders), ("to", deadline.recipients)):
            if bodies is not None:
                yield f"deadline[{index}].{name}", bodies


_TABLES: Mapping[str, frozenset[str]] = {
    "letters": frozenset({"clock_skew_seconds", "inline_bytes"}),
    "budget": frozenset({"statements_per_second", "bytes_per_second", "burst_seconds"}),
    "signed": frozenset({"signatory", "signature"}),
    "revocation": frozenset({"when_stale"}),
    "crls": frozenset({"parts"}),
}
_READ_APART = ("writing", "calendar", "deadline")
_WRITING = frozenset({"from", "to", "allowed"})


def _require_known(text: Mapping[str, Any]) -> None:
    """A line that nobody reads is a slip: what it was to forbid would be allowed."""
    for table, keys in text.items():
        if table in _READ_APART:
            continue
        if table not in _TABLES:
            raise invalid(table, f"is not known here: remove it, or use one of {', '.join((*_TABLES, *_READ_APART))}")
        if isinstance(keys, dict):
            require_keys(keys, _TABLES[table], table)


def _when_stale(text: Mapping[str, Any]) -> WhenStale:
    """Policies of before there were lists say nothing of them, and are replayed for ever."""
    section = text.get("revocation", {})
    try:
        return WhenStale(section.get("when_stale", WhenStale.ACCEPT))
    except (AttributeError, ValueError) as error:
        raise invalid("revocation.when_stale", f"must be one of {', '.join(WhenStale)}") from error


def _crls(text: Mapping[str, Any]) -> tuple[tuple[bytes, ...], ...]:
    try:
        crls = tuple(tuple(bytes.fromhex(part) for part in parts) for parts in text.get("crls", {}).get("parts", ()))
    except (AttributeError, TypeError, ValueError):
        crls = ((),)
    if any(not parts or any(len(part) != DIGEST_BYTES for part in parts) for parts in crls):
        raise invalid("crls.parts", "must be lists of SHA-256 in hexadecimal; the router writes them: remove the table")
    return crls


def _positive(text: Mapping[str, Any], table: str, name: str) -> int:
    section = text.get(table)
    value = section.get(name) if isinstance(section, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _TOO_LARGE:
        raise invalid(f"{table}.{name}", "must be a whole number above 0 and below 2**31")
    return value


def _writing(lines: object) -> tuple[WritingRule, ...]:
    return tuple(_writing_rule(line, f"writing[{index}]") for index, line in enumerate(tables(lines, "writing")))


def _writing_rule(line: Mapping[str, object], place: str) -> WritingRule:
    require_keys(line, _WRITING, place)
    allowed = line.get("allowed")
    if not isinstance(allowed, bool):
        raise invalid(f"{place}.allowed", "must be true or false")
    senders, recipients = (expression(line.get(name), f"{place}.{name}") for name in ("from", "to"))
    return WritingRule(senders, recipients, allowed)


def _kinds(text: Mapping[str, Any], name: str) -> frozenset[str]:
    section = text.get("signed", {})
    kinds = section.get(name, []) if isinstance(section, dict) else None
    if not isinstance(kinds, list) or not all(isinstance(kind, str) and kind.strip() for kind in kinds):
        raise invalid(f"signed.{name}", 'must be a list of kinds of document in quotes, as in ["Приказ"]')
    return frozenset(folded_kind(kind) for kind in kinds)


def folded_kind(kind: str) -> str:
    """A kind of document as policies compare it: blanks around it and capitals say nothing."""
    return kind.strip().casefold()
