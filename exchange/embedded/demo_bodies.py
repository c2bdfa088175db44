"""The bodies of a throw-away installation, as `config/demo/bodies.toml` names them."""

import tomllib
from dataclasses import dataclass

from exchange.domain.directory import Names
from exchange.resources import resource


@dataclass(frozen=True, slots=True)
class DemoBody:
    """A body to be installed.

    Attributes:
        profile: name of the ready profile by which its document system is connected.
        gateway: code of the body whose agent carries its letters, empty when it has its own.
    """

    code: str
    names: Names
    kind: str
    uids: tuple[str, ...]
    soate: str
    profile: str
    gateway: str = ""


ECHO = DemoBody(
    "echo",
    Names(ky="Алмашуунун жаңырыгы", ru="Эхо обмена", en="The exchange's echo"),
    "exchange",
    ("EXCHANGE-ECHO",),
    "",
    "infodocs",
)
"""The body that answers every letter; it has no document system."""


def demo_bodies() -> tuple[DemoBody, ...]:
    """The bodies of the story, in the order of the file."""
    text = resource("config", "demo", "bodies.toml").read_text(encoding="utf-8")
    return tuple(
        DemoBody(
            code=body["code"],
            names=Names(ky=body["name_ky"], ru=body["name_ru"], en=body["name_en"]),
            kind=body["kind"],
            uids=tuple(body["uids"]),
            soate=body.get("soate", ""),
            profile=body["profile"],
            gateway=body.get("gateway", ""),
        )
        for body in tomllib.loads(text)["body"]
    )
