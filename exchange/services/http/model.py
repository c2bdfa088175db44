"""Types that answers of all our APIs are made of. The OpenAPI documents' schemas are made of them."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

BodyCode = Annotated[str, Meta(description="Code of a body in the directory.", examples=["mfa"])]
Time = Annotated[datetime, Meta(tz=True)]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What all answers share: fields of later versions may come, so readers pass over those they do not know."""
