"""What the API is told of checks that auditors make on their own machines, and what it answers."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from exchange.console.api.model import Digest
from exchange.services.http.model import Answer

TEXT_CHARACTERS = 500


class AuditKind(StrEnum):
    """What an auditor does with journal and log; `exchange audit` and `exchange evidence` call it the same."""

    VERIFY = "verify"
    PROVE = "prove"
    COMPARE = "compare"
    TIMES = "times"
    REPLAY = "replay"
    EXPORT = "export"
    EVIDENCE = "evidence"

    @property
    def action(self) -> str:
        """Name of the act that says that it begins."""
        return f"audit-{self.value}"

    @property
    def result(self) -> str:
        """Name of the act that says what came of it."""
        return f"{self.action}-result"


class AuditSaid(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An auditor's act, said before it begins, and again with its outcome."""

    key: Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="Random, new for each act, the same at its end.")]
    kind: AuditKind
    scope: Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS, description="Of what: a range, files, all.")]
    reason: Annotated[str, Meta(max_length=TEXT_CHARACTERS, description="Why, in words for people.")] = ""
    letter: Annotated[Digest | None, Meta(description="The letter that it is about, if it is about one.")] = None
    outcome: Annotated[str, Meta(max_length=TEXT_CHARACTERS, description="Empty: it is about to begin.")] = ""


class AuditTold(Answer, frozen=True, kw_only=True):
    """The act that the journal will have."""

    task: Annotated[str, Meta(description="Beginning and outcome are of this task, 32 hexadecimal digits.")]
    action: Annotated[str, Meta(description="As `/api/v1/acts` calls it.")]
    person: Annotated[str, Meta(description="Whose: the token's owner.")]
