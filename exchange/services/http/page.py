"""The page that people read: the OpenAPI document as HTML, with nothing from elsewhere and no script."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any

Schema = Mapping[str, Any]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
h2 { border-top: 1px solid #ccc; padding-top: 1.5rem; } code, h2 { font-family: ui-monospace, monospace; }
h2 { font-size: 1.1rem; } table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
td, th { border: 1px solid #ddd; padding: .3rem .5rem; text-align: left; vertical-align: top; }
.method { background: #184e77; color: #fff; padding: .1rem .5rem; border-radius: .2rem; }
nav li { list-style: none; } nav ul { padding: 0; }
"""


PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy of the page: this style, and nothing else."""


def page(document: Schema, address: str) -> str:
    """The whole page.

    Args:
        document: of OpenAPI 3.1, as `exchange.services.http.openapi` makes it.
        address: where the document itself is.
    """
    info = document["info"]
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
        *_paragraphs(info["description"]),
        f'<p><a href="{escape(address)}">openapi.json</a></p>',
        *_contents(document),
        *(part for operation in _operations(document) for part in _operation(*operation)),
        *(part for name, schema in document["components"]["schemas"].items() for part in _schema(name, schema)),
        "</body></html>",
    ]
    return "\n".join(parts)


def _operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _contents(document: Schema) -> Iterator[str]:
    yield "<nav><ul>"
    for path, method, operation in _operations(document):
        link = f'<a href="#{escape(operation["operationId"])}">{escape(operation["summary"])}</a>'
        yield f"<li>{link} <code>{method} {escape(path)}</code></li>"
    yield "</ul></nav>"


def _operation(path: str, method: str, operation: Schema) -> Iterator[str]:
    heading = f'<span class="method">{method}</span> {escape(path)}'
    yield f'<h2 id="{escape(operation["operationId"])}">{heading}</h2>'
    yield f"<p><strong>{escape(operation['summary'])}.</strong></p>"
    yield from _paragraphs(operation["description"])
    rows = [
        (each["name"], each["in"], f"{_type(each['schema'])} {_text(each['description'])}")
        for each in operation["parameters"]
    ]
    if "requestBody" in operation:
        rows.append(("content", "body", _content(operation["requestBody"])))
    yield from _table(("parameter", "in", "what"), rows)
    statuses: dict[str, list[str]] = {}
    for code, response in operation["responses"].items():
        statuses.setdefault(_content(response), []).append(f"{code} {response['description']}")
    yield from _table(("status", "", "content"), [(", ".join(codes), "", what) for what, codes in statuses.items()])


def _schema(name: str, schema: Schema) -> Iterator[str]:
    yield f'<h2 id="schema-{escape(name)}">{escape(name)}</h2>'
    yield from _paragraphs(schema.get("description", ""))
    if "enum" in schema:
        yield f"<p>{', '.join(f'<code>{escape(str(value))}</code>' for value in schema['enum'])}</p>"
    needed = set(schema.get("required", ()))
    rows = [
        (field, "yes" if field in needed else "", f"{_type(kind)} {_text(kind.get('description', ''))}")
        for field, kind in schema.get("properties", {}).items()
    ]
    yield from _table(("field", "always", "what"), rows)


def _table(heads: tuple[str, str, str], rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Rows whose first cell is a name; the others are HTML."""
    if not rows:
        return
    yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
    for name, second, third in rows:
        yield f"<tr><td><code>{escape(name)}</code></td><td>{second}</td><td>{third}</td></tr>"
    yield "</table>"


def _content(holder: Schema) -> str:
    return ", ".join(
        f"<code>{escape(media_type)}</code> {_type(each['schema'])}" for media_type, each in holder["content"].items()
    )


def _type(schema: Schema) -> str:
    """A schema in one line of HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(f"<code>{escape(repr(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    limits = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    return " ".join([f"<em>{escape(str(schema.get('format') or schema.get('type', 'anything')))}</em>", *limits])


def _paragraphs(text: str) -> Iterator[str]:
    return (f"<p>{_text(part)}</p>" for part in text.strip().split("\n\n") if part)


def _text(text: str) -> str:
    """Words of ours: code between backticks, else plain."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
