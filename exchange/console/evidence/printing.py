"""The report as HTML, a file for each language, and as one PDF/A of all three; nothing in them needs a network.

Everything that people wrote goes in as data: as escaped text into HTML, and as JSON into Typst's template.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from exchange.console.evidence.saying import Told, tell
from exchange.console.pages.language import LANGUAGE_NAMES, Language, read_catalogs
from exchange.domain.drawing import drawn
from exchange.services.evidence.package import Case

_FOLDER = Path(__file__).parent


class Reports:
    """Makes the reports of cases; catalogs and templates are read once."""

    def __init__(self) -> None:
        """Read them."""
        self._catalogs = read_catalogs()
        environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["coded"] = _coded
        self._page = environment.get_template("report.html")
        self._style = (_FOLDER / "report.css").read_text()

    def __call__(self, case: Case) -> Mapping[str, bytes]:
        """Files by name."""
        told = [tell(case, language, self._catalogs[language].gettext) for language in Language]
        pages = {f"report.{each.language}.html": self._html(each) for each in told}
        return {**pages, "report.pdf": _pdf(told, case)}

    def _html(self, told: Told) -> bytes:
        return self._page.render(told=told, style=self._style, languages=LANGUAGE_NAMES).encode()


def _coded(text: str) -> Markup:
    """A text with what stands in backticks marked as code."""
    parts = text.split("`")
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _pdf(told: list[Told], case: Case) -> bytes:
    """One after the other, each beginning on a page of its own; dated by the checkpoint, so that it repeats."""
    moment = datetime.fromtimestamp(case.gathered.said[0].proof.heads.time, UTC)
    values = drawn([asdict(each) for each in told])
    return typst.compile(
        (_FOLDER / "report.typ").read_bytes(),
        format="pdf",
        sys_inputs={"reports": json.dumps(values, ensure_ascii=False), "letter": case.gathered.letter.hex()},
        pdf_standards="a-2b",
        timestamp=moment,
        ignore_system_fonts=True,
    )
