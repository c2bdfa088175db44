"""Forms that a page sends back: bounded, and read as text."""

from starlette.datastructures import FormData
from starlette.requests import Request

FIELDS_AT_MOST = 30


async def form_of(request: Request) -> FormData:
    """What was sent; nothing of it is looked at yet."""
    return await request.form(max_fields=FIELDS_AT_MOST)


def text_of(form: FormData, name: str) -> str:
    """A field's text without the space around it; a file is none."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def is_line(text: str, longest: int) -> bool:
    """Whether a text is one line of at most so many characters that a database takes, and a page shows as they are."""
    return len(text) <= longest and text.isprintable()


def is_prose(text: str, longest: int) -> bool:
    """Whether a text is lines of at most so many characters in all."""
    return len(text) <= longest and all(is_line(line, longest) for line in text.splitlines())
