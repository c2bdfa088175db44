"""Templates to answers: one environment per language, everything escaped, nothing undefined."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from exchange.console.pages import times, wording
from exchange.console.pages.language import LANGUAGE_NAMES, Language, read_catalogs
from exchange.console.pages.navigation import sections
from exchange.console.pages.static import StaticAddresses, static_addresses
from exchange.console.pages.visit import Theme, Visit
from exchange.domain.directory import Body

TEMPLATES_FOLDER = Path(__file__).parent.parent / "templates"
_NOT_KEPT = {"Cache-Control": "no-store"}
SHORT_DIGEST = 8
"""Characters of a letter's digest in a list: enough to tell it among millions."""

Bodies = Callable[[], Mapping[str, Body]]
"""The bodies of the directory in force, by code; another mapping when that is another version."""


class Renderer:
    """Makes answers of templates in the visitor's language."""

    def __init__(self, clock: Callable[[], datetime], bodies: Bodies) -> None:
        """Read catalogs and static files once.

        Args:
            clock: the present time, UTC.
            bodies: of the directory in force.
        """
        self._clock = clock
        self._environments = _environments(static_addresses(), bodies)

    def visit(self, request: Request) -> Visit:
        """Who asks, and how."""
        return Visit.of(request, self._clock())

    def page(self, request: Request, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """The answer that a template makes; no proxy and no browser keeps it.

        Args:
            request: whose language, theme and user the page is for.
            template: file in `templates`.
            status: of the answer.
            context: names for the template, beside `visit`.
        """
        visit = self.visit(request)
        environment = self._environments[visit.language]
        text = environment.get_template(template).render(visit=visit, sections=sections(visit), **context)
        return HTMLResponse(text, status, {**_NOT_KEPT, "Content-Language": visit.language.value, "Vary": "Cookie"})


def _environments(static: StaticAddresses, bodies: Bodies) -> Mapping[Language, Environment]:
    catalogs = read_catalogs()
    return {language: _environment(language, catalogs[language], static, bodies) for language in Language}


def _environment(language: Language, catalog: Any, static: StaticAddresses, bodies: Bodies) -> Environment:
    called = _BodyNames(language, bodies)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(catalog, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        static=static,
        language=language,
        languages=LANGUAGE_NAMES,
        themes=list(Theme),
        words=wording,
        body_name=called.name,
        body_list=called.choices,
    )
    environment.filters.update(_filters(language, catalog.gettext))
    return environment


class _BodyNames:
    """What people call bodies, in one language."""

    def __init__(self, language: Language, bodies: Bodies) -> None:
        self._language = language
        self._bodies = bodies
        self._listed: Mapping[str, Body] = {}
        self._list = Markup()

    def name(self, code: str) -> str:
        """Of one body; its code when the directory does not know it."""
        return self._name(self._bodies(), code)

    def choices(self) -> Markup:
        """All of them for fields to choose from, by code; made once for each version: hundreds on every page."""
        bodies = self._bodies()
        if bodies is not self._listed:
            option = Markup('<option value="{}">{}</option>')
            options = Markup().join(option.format(code, self._name(bodies, code)) for code in sorted(bodies))
            self._listed, self._list = bodies, Markup('<datalist id="bodies">{}</datalist>').format(options)
        return self._list

    def _name(self, bodies: Mapping[str, Body], code: str) -> str:
        body = bodies.get(code)
        return (getattr(body.names, self._language.value) if body else "") or code


def _filters(language: Language, gettext: Callable[[str], str]) -> Mapping[str, Callable[..., Any]]:
    @pass_context
    def absolute(context: Context, moment: datetime) -> str:
        return times.absolute(moment, language, context["visit"].now)

    @pass_context
    def relative(context: Context, moment: datetime) -> str:
        return times.relative(moment, language, context["visit"].now)

    def lasted(span: timedelta) -> str:
        return times.lasted(span, language)

    return {
        "absolute": absolute,
        "relative": relative,
        "exact": lambda moment: times.exact(moment, language),
        "machine": lambda moment: times.local(moment).isoformat(timespec="seconds"),
        "lasted": lasted,
        "day": lambda value: times.day(value, language),
        "month": lambda value: times.month(value, language),
        "number": lambda value: times.number(value, language),
        "size": lambda value: times.size(value, language),
        "percent": lambda value: times.percent(value, language),
        # Of what is not a template's own text: never taken for HTML, nor for a pattern.
        "tr": lambda text: gettext(text) if text else "",
        "translated": lambda choices: [(value, gettext(text)) for value, text in choices],
        "nonempty": lambda words: {word: value for word, value in words.items() if value},
        "short": lambda digest: digest.hex()[:SHORT_DIGEST],
    }
