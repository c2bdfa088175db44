"""`docs/errors.md` explains every code that the exchange can raise or journal, and no other."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from exchange.domain.reason import TEXTS, Reason

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z0-9-]+)`\n\n(.+?)(?=\n\n#|\Z)", PAGE, re.MULTILINE | re.DOTALL))

KEBAB = re.compile(r"[a-z]+(-[a-z]+)+")
TABLED = ("spool-", "bus-", "record-", "topic-", "access-denied")
"""How codes begin that are raised from tables rather than by name."""


def literals(node: ast.AST) -> Iterator[ast.expr]:
    """What stands for a code: `code=…` of a call, `code = …` of an error's class."""
    if isinstance(node, ast.keyword) and node.arg == "code":
        yield node.value
    elif isinstance(node, ast.ClassDef):
        for line in node.body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                yield line.value


@cache
def nodes() -> tuple[ast.AST, ...]:
    """Everything that stands in the product's modules."""
    paths = [path for folder in ("exchange", "adapters") for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def texts(found: Iterable[ast.AST]) -> set[str]:
    """The texts among constants."""
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def raised() -> set[str]:
    """Codes that errors are raised with, one by one or from a table."""
    tabled = texts(part for node in nodes() if isinstance(node, ast.Tuple) for part in node.elts)
    return texts(value for node in nodes() for value in literals(node)) | {
        text for text in tabled if text.startswith(TABLED) and KEBAB.fullmatch(text)
    }


def test_every_code_has_its_section() -> None:
    """A new code comes with a section: what happened, and what to do next."""
    assert (raised() | set(Reason)) - set(SECTIONS) == set()


def test_no_section_without_its_code() -> None:
    """A code that is gone from the code is gone from the page."""
    assert set(SECTIONS) - texts(nodes()) == set()


def test_a_section_says_what_to_do() -> None:
    """Each section ends with the next step."""
    assert {code: text for code, text in SECTIONS.items() if not re.search(r" Next: .+\.$", text)} == {}


def test_the_page_says_what_notices_say() -> None:
    """The words of a reason are the same in a notice and on the page."""
    said = {reason: f"{happened[0].upper()}{happened[1:]}. Next: {step}." for reason, (happened, step) in TEXTS.items()}
    assert set(said) == set(Reason)
    assert {reason: SECTIONS[reason] for reason in Reason} == said
