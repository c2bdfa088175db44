"""The console's sections: where each is, and who has it in the menu."""

from dataclasses import dataclass

from exchange.console.pages.visit import Visit
from exchange.console.pages.wording import _
from exchange.domain.user import Right


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the menu.

    Attributes:
        title: English, a message of the catalogs.
        right: who has it; None: everybody who is signed in.
    """

    path: str
    title: str
    right: Right | None = None

    def holds(self, path: str) -> bool:
        """Whether a page belongs here."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


SECTIONS = (
    Section("/", _("Now")),
    Section("/letters", _("Letters")),
    Section("/failures", _("Failures")),
    Section("/tasks", _("Tasks"), Right.SEE_ALL),
    Section("/routes", _("Routes")),
    Section("/bodies", _("Bodies")),
    Section("/report", _("Service report")),
    Section("/alerts", _("Alerts")),
    Section("/audit", _("Audit"), Right.SEE_ACTS),
    Section("/enrolment", _("Enrolment"), Right.APPROVE),
)


def sections(visit: Visit) -> list[Section]:
    """The menu of who looks."""
    if visit.user is None:
        return []
    return [section for section in SECTIONS if section.right is None or visit.user.may(section.right)]
