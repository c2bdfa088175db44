"""Types that answers about letters, tasks and acts have in common; those of all APIs are in `services.http.model`."""

from typing import Annotated

from msgspec import Meta

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Id of a letter: its digest, hexadecimal.")]
Seconds = Annotated[float, Meta(description="Seconds.")]
Code = Annotated[str, Meta(description="Reason code of `docs/errors.md`; empty without one.")]
Link = Annotated[str | None, Meta(description="Path of the next page; null on the last.")]
