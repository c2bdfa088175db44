"""What lies where in an installation's folder, and which processes it has; `installation` makes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exchange.embedded.demo_bodies import ECHO, DemoBody
from exchange.embedded.log_keeping import has_tsa
from exchange.security.directory.folder import DirectoryFolder
from exchange.settings import operator_settings

_COMMANDS = {"directory": ("directory", "serve"), "archive": ("archive", "run")}
"""Of roles that are no command of their own."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation's folder and what lies where in it.

    Attributes:
        agents: codes of the bodies that have a process of their own: an agent, a gateway's or not, or the echo.
        console: whether the operators' console runs beside them.
    """

    folder: Path
    agents: tuple[str, ...]
    console: bool = False

    @classmethod
    def at(cls, folder: Path) -> "Installation":
        """The installation that is in `folder`, with the agents that it has there."""
        agents = sorted(path.stem for path in folder.glob("agent-*.toml"))
        echo = [ECHO.code] if (folder / f"{role_of(ECHO.code)}.toml").exists() else []
        named = (*(agent.removeprefix("agent-") for agent in agents), *echo)
        return cls(folder, named, console=(folder / "console.toml").exists())

    @property
    def kafka(self) -> Path:
        """The embedded cluster's folder."""
        return self.folder / "kafka"

    def config(self, role: str) -> Path:
        """Configuration of a role, or of `operator` or `auditor`."""
        return self.folder / f"{role}.toml"

    def log(self, role: str) -> Path:
        """What the process of that role prints."""
        return self.folder / "logs" / f"{role}.log"

    def edms(self, body: str) -> Path:
        """The folder that a body's document system and its agent share."""
        return self.folder / "edms" / body

    @property
    def roles(self) -> tuple[str, ...]:
        """The processes of the installation beside Kafka, in the order in which they start."""
        stamps, console = ["tsa"] if has_tsa(self.folder) else [], ["console"] if self.console else []
        return ("directory", "router", "tracker", "witness", *stamps, "archive", *console, *map(role_of, self.agents))

    def served(self) -> dict[str, str]:
        """The role that serves each body of this installation, by the body's code, as the directory has it now.

        Raises:
            ConfigurationError: there is no installation yet.
            DirectoryRefused: the directory cannot be used.
        """
        place = operator_settings(self.config("operator"), {}).directory
        bodies = DirectoryFolder.at(place.folder, place.root).latest().bodies.values()
        carriers = {body.code: body.gateway or body.code for body in bodies}
        return {code: role_of(carrier) for code, carrier in carriers.items() if carrier in self.agents}


def role_of(code: str) -> str:
    """Name of a body's own process: its agent, or the echo."""
    return "echo" if code == ECHO.code else f"agent-{code}"


def agents(bodies: Iterable[DemoBody]) -> tuple[str, ...]:
    """Codes of those that have a process of their own; a gateway's carries the others."""
    return tuple(body.code for body in bodies if not body.gateway)


def command(role: str) -> tuple[str, ...]:
    """What follows `exchange` to run a role's process."""
    return _COMMANDS.get(role, (role.partition("-")[0],))
