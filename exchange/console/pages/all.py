"""All pages, as the application is made of them."""

from starlette.routing import BaseRoute

from exchange.console.pages import (
    alerts,
    audit,
    bodies,
    content,
    enrolment,
    evidence,
    failures,
    letter,
    letters,
    notes,
    now,
    report,
    saving,
    search,
    tasks,
    traffic,
)

PAGE_ROUTES: tuple[BaseRoute, ...] = (
    *now.ROUTES,
    *letters.ROUTES,
    *saving.ROUTES,
    *letter.ROUTES,
    *content.ROUTES,
    *evidence.ROUTES,
    *failures.ROUTES,
    *notes.ROUTES,
    *tasks.ROUTES,
    *traffic.ROUTES,
    *bodies.ROUTES,
    *report.ROUTES,
    *alerts.ROUTES,
    *audit.ROUTES,
    *enrolment.ROUTES,
    *search.ROUTES,
)
"""In the order of the menu."""
