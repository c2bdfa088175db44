"""Documents a second through each format, beside lxml (or json) alone on the same bytes.

`parse`: a package to a letter, as an agent takes it in. `render`: a letter to a package, as it is handed
over. The peer parses the package's documents into trees, or writes those trees, and looks at nothing; the
goal is a quarter of that without validation, whose part is told apart.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

from lxml import etree

from adapters.formats import FORMATS
from adapters.ports import WritingFormat
from bench.report import Figure, report
from exchange.agent.ports import ArrivedLetter, Package
from exchange.wire import xml
from tests.adapters.support import DIRECTORY, NOW, arrived, draft_of

SECONDS = 2.0


async def parse() -> None:
    """Every format's `parse`, with and without validation."""
    for name, fmt in FORMATS.items():
        package = fmt.write(draft_of(name), NOW, DIRECTORY, "kat")
        documents = list(_documents(package))
        raw = _per_second(partial(_each, _read, documents))
        _tell(f"parse.{name}", partial(fmt.parse, package, DIRECTORY), raw, "its documents parsed into trees alone")


async def render() -> None:
    """Every format's `render_letter`, with and without validation."""
    for name, fmt in FORMATS.items():
        letter = arrived(draft_of(name))
        trees = [_read(data) for data in _documents(_rendered(fmt, letter))]
        raw = _per_second(partial(_each, _write, trees))
        _tell(f"render.{name}", partial(_rendered, fmt, letter), raw, "its documents written from trees alone")


def _tell(bench: str, work: Callable[[], object], raw: float, peer: str) -> None:
    whole, bare = _per_second(work), _unvalidated(work)
    report(Figure(bench, whole, "documents/s", whole / raw, peer))
    report(Figure(f"{bench}.unvalidated", bare, "documents/s", bare / raw, f"{peer}; goal 0.25"))


def _each(work: Callable[[Any], object], items: Iterable[object]) -> None:
    for item in items:
        work(item)


def _rendered(fmt: WritingFormat, letter: ArrivedLetter) -> Package:
    return fmt.render_letter(letter, "minjust", DIRECTORY)


def _documents(package: Package) -> Iterator[bytes]:
    """The XML and JSON of a package, those in its containers too."""
    for name, data in package.files.items():
        if name.endswith((".xml", ".json")):
            yield data
        elif name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as container:
                yield from (container.read(each) for each in container.namelist() if each.endswith(".xml"))


def _read(data: bytes) -> object:
    return json.loads(data) if data.lstrip().startswith(b"{") else etree.fromstring(data)


def _write(tree: object) -> object:
    return etree.tostring(tree, encoding="utf-8") if isinstance(tree, etree._Element) else json.dumps(tree)


def _per_second(work: Callable[[], object]) -> float:
    """How often `work` is done in a second, of one core."""
    work()
    count, begin = 0, perf_counter()
    while perf_counter() - begin < SECONDS:
        work()
        count += 1
    return count / (perf_counter() - begin)


def _unvalidated(work: Callable[[], object]) -> float:
    """The same with schemas that find nothing."""
    check, is_valid = xml.Schema.check, xml.Schema.is_valid
    xml.Schema.check, xml.Schema.is_valid = (lambda *_: None), (lambda *_: True)  # type: ignore[method-assign]
    try:
        return _per_second(work)
    finally:
        xml.Schema.check, xml.Schema.is_valid = check, is_valid  # type: ignore[method-assign]
