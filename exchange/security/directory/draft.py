"""A change of the directory on its way from the keeper who enters it to the one who approves it.

A draft is one file that people hand to each other: the new entries, and the lists that name them, signed
by some of the keepers. It says nothing about the other lists, so that two drafts hinder each other only
where they change the same sixteenth of the bodies.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Delegations, Metadata, MetaFile, Root, SuccinctRoles, TargetFile, Targets

from exchange.domain.directory import Directory
from exchange.domain.ids import ZERO_DIGEST
from exchange.security.directory.changes import Edit, require_edit
from exchange.security.directory.entries import decode_body, decode_settings
from exchange.security.directory.metadata import SETTINGS, bins_of, body_of, body_path, hashed, target_digest
from exchange.security.directory.roots import holder, parse
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import PrivateKey

LIST_LIFETIME = timedelta(days=20 * 365)
"""Of snapshots and lists: for clients of the framework. How old they may be the timestamp says."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Draft:
    """Signed lists by role, and the files that they name and that were not there before, by name."""

    lists: Mapping[str, bytes]
    files: Mapping[str, bytes]

    def encode(self) -> bytes:
        """As a file, readable with any tool."""
        parts = {"lists": self.lists, "files": self.files}
        text = {name: {key: data.decode() for key, data in sorted(part.items())} for name, part in parts.items()}
        return json.dumps({"format": _FORMAT, **text}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Draft":
        """Read a file; what is in it proves nothing yet.

        Raises:
            DirectoryRefused: `draft-unreadable`.
        """
        try:
            text = json.loads(data.decode())
            known = text["format"] == _FORMAT
            lists, files = ({str(name): str(part).encode() for name, part in text[of].items()} for of in _PARTS)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable("is no draft") from error
        if not known or not lists:
            raise _unreadable("is of a format that is not known here" if lists else "changes nothing")
        return cls(lists, files)

    @property
    def digest(self) -> bytes:
        """SHA-256 of what is signed, the same whoever has signed: by it keepers know that they mean the same draft.

        Raises:
            DirectoryRefused: `directory-unreadable`.
        """
        lists = ((role, parse(Targets, data, role).signed_bytes) for role, data in sorted(self.lists.items()))
        return sha256("".join(f"{role} {sha256(data).hexdigest()}\n" for role, data in lists).encode()).digest()

    def signed(self, key: PrivateKey) -> "Draft":
        """With one keeper's signature more on each list.

        Raises:
            DirectoryRefused: `directory-unreadable`.
        """
        signer = CryptoSigner(key)
        lists = {}
        for role, data in self.lists.items():
            metadata = parse(Targets, data, role)
            metadata.sign(signer, append=True)
            lists[role] = metadata.to_bytes()
        return replace(self, lists=lists)


_PARTS = ("lists", "files")


@dataclass(frozen=True, slots=True)
class DraftState:
    """What a draft would change, and how far it is.

    Attributes:
        digest: of the draft, without signatures.
        lists: names of the lists that are signed with it, with their numbers.
        edits: entries before and after.
        issuers: certificates (DER) of the issuers of statement certificates before and after.
        keepers: names of those whose signature is on every list of it.
        threshold: so many must sign.
    """

    digest: bytes
    lists: tuple[str, ...]
    edits: tuple[Edit, ...]
    issuers: tuple[tuple[bytes, ...], tuple[bytes, ...]]
    keepers: tuple[str, ...]
    threshold: int

    @property
    def complete(self) -> bool:
        """Whether enough have signed."""
        return len(self.keepers) >= self.threshold


def look_at_draft(
    draft: Draft, head: Directory, lists: Mapping[str, MetaFile], root: Root, read: Callable[[str], bytes]
) -> DraftState:
    """What a draft would change, if it may.

    1. Each list is signed by keepers only, and is the next one after that in force; who may sign, the root says.
    2. No body is dropped; each new entry is the very file that its list names, and lists and draft have nothing else
       in them: what no command writes would be signed unseen.
    3. Each edit is entered by one of the keepers who signed, with the next change of that body and a status that
       may follow; the numbers of partitions stay for ever (rule 5.2).

    Args:
        draft: as it was handed over.
        head: the version that it is to follow.
        lists: those of that version.
        root: the newest.
        read: gives the files in force by name.

    Raises:
        DirectoryRefused: `draft-unreadable`, `draft-in-force`, `draft-overtaken` (1),
            `directory-signature-invalid` (1), `directory-file-differs` (2), `directory-field-invalid` (2),
            `directory-change-invalid` (2, 3), `directory-status-invalid` (3).
    """
    listed = _unapproved(draft, lists, read)
    in_force = {
        role: parse(Targets, read(f"{meta.version}.{role}.json"), role).signed
        for role in {Targets.type, *listed}
        if (meta := lists.get(f"{role}.json")) is not None
    }
    targets = _targets(listed, root) or in_force[Targets.type]
    signers: set[str] | None = None
    entries: dict[str, bytes] = {}
    new: set[str] = set()
    for role, metadata in listed.items():
        # 1.
        valid = _signers(role, metadata, lists.get(f"{role}.json"), root if role == Targets.type else targets)
        signers = valid if signers is None else signers & valid
        # 2.
        new |= _require_exact(role, metadata.signed, in_force[role], draft, head)
        if role != Targets.type:
            codes = {body_of(path): target_digest(target, role) for path, target in metadata.signed.targets.items()}
            _require_all_kept(role, codes, head, targets)
            entries |= codes
    if strange := sorted(set(draft.files) - new):
        raise _unreadable(f"brings '{strange[0][:100]}', which its lists do not name as new")
    keys = root.keys
    names = tuple(sorted(holder(keys[keyid]) for keyid in signers or ()))
    # 3.
    edits = tuple(_edits(entries, draft, head))
    for edit in edits:
        require_edit(edit, head.entries.get(edit.after.code, ZERO_DIGEST), names)
    issuers = _issuers(targets, draft, head) if targets.targets != in_force[Targets.type].targets else head.issuers
    return DraftState(
        digest=draft.digest,
        lists=tuple(f"{metadata.signed.version}.{role}" for role, metadata in sorted(listed.items())),
        edits=edits,
        issuers=(head.issuers, issuers),
        keepers=names,
        threshold=root.roles[Targets.type].threshold,
    )


def _targets(listed: Mapping[str, Metadata[Targets]], root: Root) -> Targets | None:
    """The list of lists, when a draft has a new one; who signs the others is the root's to say."""
    if Targets.type not in listed:
        return None
    targets = listed[Targets.type].signed
    if targets.delegations != delegations_of(root):
        message = "the draft would let others sign than the root names: do not sign it, and ask who entered it"
        raise DirectoryRefused(message, code="directory-change-invalid")
    return targets


def delegations_of(root: Root) -> Delegations:
    """Who signs the lists of bodies: the keepers, as the root names them, as many as it wants."""
    role = root.roles[Targets.type]
    bins = SuccinctRoles(list(role.keyids), role.threshold, _BIN_BITS, _BIN_PREFIX)
    return Delegations({keyid: root.keys[keyid] for keyid in role.keyids}, succinct_roles=bins)


_BIN_BITS = 4
_BIN_PREFIX = "bodies"


def _issuers(targets: Targets, draft: Draft, head: Directory) -> tuple[bytes, ...]:
    if set(targets.targets) != {SETTINGS}:
        raise _unreadable("lists something else than what holds for the exchange")
    settings = decode_settings(_named(SETTINGS, target_digest(targets.targets[SETTINGS], SETTINGS), draft))
    if (settings.lanes, settings.journal_partitions) != (head.lanes, head.journal_partitions):
        message = "exchange.json: lanes and journal_partitions are fixed at the installation: leave them as they are"
        raise DirectoryRefused(message, code="directory-change-invalid")
    return settings.issuers


def _unapproved(
    draft: Draft, lists: Mapping[str, MetaFile], read: Callable[[str], bytes]
) -> dict[str, Metadata[Targets]]:
    """The lists of a draft, some of which the directory has not yet."""
    listed = {role: parse(Targets, data, role) for role, data in draft.lists.items()}
    if all(_is_there(role, metadata, lists, read) for role, metadata in listed.items()):
        message = "this draft was approved: the directory has it already, and nothing is left to be signed"
        raise DirectoryRefused(message, code="draft-in-force")
    return listed


def _is_there(
    role: str, metadata: Metadata[Targets], lists: Mapping[str, MetaFile], read: Callable[[str], bytes]
) -> bool:
    """Whether a list of a draft is the directory's, the newest or one before it."""
    newest, number = lists.get(f"{role}.json"), metadata.signed.version
    if newest is None or number > newest.version:
        return False
    return parse(Targets, read(f"{number}.{role}.json"), role).signed_bytes == metadata.signed_bytes


def _signers(role: str, metadata: Metadata[Targets], before: MetaFile | None, by: Root | Targets) -> set[str]:
    """Ids of the keys that signed the next list after `before`."""
    if before is None:
        raise _unreadable(f"names the list '{role[:40]}', which there is not")
    if metadata.signed.version != before.version + 1:
        message = f"{role}: list {metadata.signed.version} does not follow list {before.version}, which is in force"
        raise DirectoryRefused(f"{message}: enter the change again", code="draft-overtaken")
    valid = by.get_verification_result(role, metadata.signed_bytes, metadata.signatures).signed
    if not valid or set(valid) != set(metadata.signatures):
        message = f"{role} is not signed by keepers, and by nobody else: let a keeper enter the change again"
        raise DirectoryRefused(message, code="directory-signature-invalid")
    return set(valid)


def _require_exact(role: str, signed: Targets, before: Targets, draft: Draft, head: Directory) -> set[str]:
    """Names of the files that a list names as new; it says that, what it said before, and nothing else."""
    new = set()
    expected = {}
    for path, target in signed.targets.items():
        digest = target_digest(target, role)
        known = before.targets.get(path)
        if known is not None and target_digest(known, role) == digest:
            expected[path] = known
        else:
            expected[path] = TargetFile(len(_named(path, digest, draft)), {"sha256": digest.hex()}, path)
            new.add(hashed(path, digest))
    exact = Targets(signed.version, signed.spec_version, signed.expires, expected, signed.delegations)
    if exact.to_dict() != signed.to_dict() or signed.expires < head.issued + LIST_LIFETIME / 2:
        message = f"{role} has something in it that no command writes: do not sign it, and ask who entered it"
        raise DirectoryRefused(message, code="directory-change-invalid")
    return new


def _require_all_kept(role: str, codes: Mapping[str, bytes], head: Directory, targets: Targets) -> None:
    bins = bins_of(targets)
    dropped = [code for code in head.bodies if bins.get_role_for_target(body_path(code)) == role and code not in codes]
    if dropped:
        message = f"{dropped[0]} is no longer listed: who leaves stays in the directory with the status 'left'"
        raise DirectoryRefused(message, code="directory-change-invalid")


def _edits(entries: Mapping[str, bytes], draft: Draft, head: Directory) -> list[Edit]:
    edits = []
    for code, digest in sorted(entries.items()):
        if head.entries.get(code) == digest:
            continue
        edits.append(Edit(head.bodies.get(code), decode_body(_named(body_path(code), digest, draft), code)))
    return edits


def _named(path: str, digest: bytes, draft: Draft) -> bytes:
    name = hashed(path, digest)
    data = draft.files.get(name, b"")
    if sha256(data).digest() != digest:
        message = f"{name} is not in the draft as its list names it: let a keeper enter the change again"
        raise DirectoryRefused(message, code="directory-file-differs")
    return data


def _unreadable(what: str) -> DirectoryRefused:
    return DirectoryRefused(f"the file {what}: let a keeper write it again", code="draft-unreadable")
