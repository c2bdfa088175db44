"""What a draft changes and how far it is, for people and for programs."""

from dataclasses import dataclass

from rich.console import Console

from exchange.cli.directory.certificates import described_issuer
from exchange.cli.directory.differences import Difference, difference, differences, print_differences
from exchange.cli.output import shown
from exchange.security.directory.changes import Edit
from exchange.security.directory.draft import DraftState


@dataclass(frozen=True, slots=True)
class Proposed:
    """An edit: of which body, by whom, why, and what changes."""

    code: str
    by: str
    reason: str
    new: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """Where a change stands.

    Attributes:
        digest: SHA-256 of what is signed, the same whoever has signed.
        lists: which lists of the directory are signed.
        changes: what changes of bodies.
        issuers: what changes of who issues statement certificates; None when that stays.
        signed: names of the keepers who signed.
        threshold: so many must.
        version: of the directory, once it is complete; None before.
        in_force: whether the clock's key has signed for it.
        draft: file to be approved; empty once the version is complete.
        certificate: file of a certificate that was issued; empty when none was.
        answers: files for bodies that are let in.
    """

    digest: bytes
    lists: tuple[str, ...]
    changes: tuple[Proposed, ...]
    issuers: Difference | None
    signed: tuple[str, ...]
    threshold: int
    version: int | None = None
    in_force: bool = False
    draft: str = ""
    certificate: str = ""
    answers: tuple[str, ...] = ()


def done_of(state: DraftState, draft: str) -> Done:
    """Where a draft stands; `draft` is its file, empty once the version is complete."""
    before, after = (tuple(map(described_issuer, issuers)) for issuers in state.issuers)
    return Done(
        digest=state.digest,
        lists=state.lists,
        changes=tuple(map(_proposed, state.edits)),
        issuers=difference("issuers of statement certificates", before, after),
        signed=state.keepers,
        threshold=state.threshold,
        draft=draft,
    )


def _proposed(edit: Edit) -> Proposed:
    change = edit.after.change
    by, reason = ("", "") if change is None else (change.by, change.reason)
    return Proposed(edit.after.code, by, reason, edit.before is None, differences(edit.before, edit.after))


def render(done: Done, console: Console) -> None:
    """Print a change and where it stands, for people."""
    render_change(done, console)
    render_standing(done, console)


def render_change(done: Done, console: Console) -> None:
    """Print what a draft changes, field by field, and what is signed with it."""
    for each in done.changes:
        console.print(f"{each.code}{' (new)' if each.new else ''}, by {shown(each.by)}: {shown(each.reason)}")
        print_differences(each.differences, console, first=each.new)
    if done.issuers is not None:
        console.print("the whole exchange")
        print_differences([done.issuers], console)
    if not done.changes and done.issuers is None:
        console.print("nothing changes: the same is signed under the newest root")
    console.print(f"signed with it: {', '.join(done.lists)}")
    console.print(f"SHA-256 of the draft: {done.digest.hex()}")


def render_standing(done: Done, console: Console) -> None:
    """Print how far a change is, and the next step."""
    if done.certificate:
        console.print(f"the certificate, of use once it is listed: {shown(done.certificate)}")
    for answer in done.answers:
        console.print(f"send to the body: {shown(answer)}")
    console.print(f"signed by {shown(', '.join(done.signed))}; {done.threshold} must sign")
    if done.version is None:
        file = shown(done.draft)
        console.print(f"Next: another keeper: exchange directory draft {file}, then approve {file} --key …")
    elif done.in_force:
        console.print(f"version {done.version} is in force")
    else:
        how = "the directory's service puts it in force, or: exchange directory stamp"
        console.print(f"version {done.version} is complete; {how}")
