"""How entries of the directory may change: one step at a time, each with who, when and why."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from exchange.domain.directory import MOVES, Body, BodyStatus, Change
from exchange.security.errors import DirectoryRefused


@dataclass(frozen=True, slots=True)
class Edit:
    """An entry before, None when the body is new, and after."""

    before: Body | None
    after: Body


def edited(before: Body | None, digest: bytes, after: Body, by: str, reason: str, at: datetime) -> Body:
    """The entry with the next change written into it.

    Args:
        before: the entry in force, None when the body is new.
        digest: its SHA-256; zeros when the body is new.
        after: the entry as it shall be.
        by: name of the keeper who enters the change.
        reason: why, in words.
        at: the time (UTC).
    """
    return replace(after, change=Change(_next_number(before), digest, at, by, reason))


def _next_number(before: Body | None) -> int:
    """An entry of the founding has no change, and counts as the first."""
    if before is None:
        return 1
    return 2 if before.change is None else before.change.number + 1


def require_edit(edit: Edit, digest: bytes, keepers: Collection[str]) -> None:
    """Make sure that an entry may become another.

    Args:
        edit: before and after.
        digest: SHA-256 of the entry in force; zeros when the body is new.
        keepers: names of those who signed.

    Raises:
        DirectoryRefused: `directory-status-invalid`; `directory-change-invalid`.
    """
    before, after = edit.before, edit.after
    change = after.change
    if change is None or (change.number, change.previous) != (_next_number(before), digest):
        message = f"bodies.{after.code}.change does not continue the entry in force: enter the change again"
        raise DirectoryRefused(message, code="directory-change-invalid")
    if change.by not in keepers or not change.reason.strip():
        message = f"bodies.{after.code}.change is not by a keeper who signed it, or gives no reason: enter it again"
        raise DirectoryRefused(message, code="directory-change-invalid")
    stood = BodyStatus.PLANNED if before is None else before.status
    if after.status is not stood and after.status not in MOVES[stood]:
        allowed = ", ".join(sorted(MOVES[stood])) or "nothing"
        message = f"bodies.{after.code}.status: {after.status} may not follow {stood}, only {allowed}"
        raise DirectoryRefused(message, code="directory-status-invalid")
