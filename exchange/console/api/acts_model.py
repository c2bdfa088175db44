"""What the API answers about what people did."""

from typing import Annotated

from msgspec import Meta

from exchange.console.api.model import Digest, Link
from exchange.services.http.model import Answer, Time


class ActTold(Answer, frozen=True, kw_only=True):
    """Something that a person did or looked at, as the journal has it."""

    action: str
    person: Annotated[str, Meta(description="Login of who did it.")]
    second: Annotated[str, Meta(description="Login of who approved it, else empty.")]
    reason: Annotated[str, Meta(description="Why, in the person's words.")]
    detail: str
    task: Annotated[str, Meta(description="Id of the task that it was part of, else empty.")]
    letter: Annotated[Digest | None, Meta(description="The letter concerned; null: none.")]
    recipient: Annotated[str, Meta(description="Code of the body concerned, else empty.")]
    body: Annotated[str, Meta(description="Which of the exchange's own bodies said it.")]
    said: Time
    journalled: Time
    statement: Annotated[str, Meta(description="Digest of the statement that says so, hexadecimal.")]
    position: Annotated[str, Meta(description="Where the journal has it: partition and offset.")]


class Acts(Answer, frozen=True, kw_only=True):
    """A page of the audit trail, the youngest first."""

    items: tuple[ActTold, ...]
    next: Link


class ActsExport(Answer, frozen=True, kw_only=True):
    """A part of the audit trail that somebody took along."""

    at: Time
    person: Annotated[str, Meta(description="Login of who took it.")]
    filter: Annotated[str, Meta(description="By which it was chosen, as in the page's address; empty: all.")]
    complete: Annotated[bool, Meta(description="False when the filter leaves more than one export may have.")]
    items: tuple[ActTold, ...]
