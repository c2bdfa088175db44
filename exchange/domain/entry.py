"""What an entry of the directory may say of a body, whoever proposes it: a request, a list of planned bodies.

Every rule is looked at, so that people hear of all their mistakes at once.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from exchange.domain.directory import Body, BodyStatus

OWN_KIND = "exchange"
"""Kind of the exchange's own bodies: its echo, its way to paper."""

KINDS = (
    "central",
    "ministry",
    "committee",
    "agency",
    "court",
    "oblast",
    "raion",
    "city",
    "ayil-okmotu",
    OWN_KIND,
)
"""Kinds of bodies."""

SOATE_KINDS = frozenset({"oblast", "raion", "city", "ayil-okmotu"})
"""Kinds that stand for a place, and so have its code."""

_SOATE_GROUPS = ((0, 3), (3, 5), (5, 8), (8, 11), (11, 14))
"""Country, oblast, raion, ayil aimak, village."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: stable; explained in `docs/errors.md`.
        place: the field, or line and column.
        text: what is wrong with it, and what to do.
    """

    code: str
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an entry has to fit into.

    Attributes:
        bodies: by code, those proposed together with it too.
        owners: code of the body that each identifier belongs to; see `Directory.by_uid`.
        soate_codes: the codes of the state's list.
    """

    bodies: Mapping[str, Body]
    owners: Mapping[str, str]
    soate_codes: Collection[str]


def entry_problems(body: Body, around: Surroundings) -> Iterator[Problem]:
    """What keeps a body's entry from standing where it is proposed."""
    yield from own_problems(body, around.soate_codes)
    yield from _relation_problems(body, around.bodies)
    for uid in body.uids:
        owner = around.owners.get(uid, body.code)
        if owner != body.code:
            yield Problem(
                code="identifier-taken", place="identifiers", text=f"'{uid[:80]}' is an identifier of {owner}"
            )


def own_problems(body: Body, soate_codes: Collection[str]) -> Iterator[Problem]:
    """What is wrong with an entry whatever else the directory lists."""
    if body.kind not in KINDS:
        yield Problem(code="kind-unknown", place="kind", text=f"is none of {', '.join(KINDS)}")
    yield from _names_problems(body)
    if not body.soate and body.kind in SOATE_KINDS:
        yield Problem(code="soate-missing", place="soate", text=f"is empty; of kind {body.kind} each has one")
    if body.soate and body.soate not in soate_codes:
        yield Problem(code="soate-unknown", place="soate", text=f"'{body.soate[:20]}' is not in the state's list")


def lies_in(soate: str, place: str) -> bool:
    """Whether a code of the state's list lies in a `place` of it, or is that place."""
    groups = [place[start:end] for start, end in _SOATE_GROUPS]
    while groups and not groups[-1].strip("0"):
        groups.pop()
    return soate.startswith("".join(groups))


def _names_problems(body: Body) -> Iterator[Problem]:
    for language in ("ky", "ru"):
        if not getattr(body.names, language).strip():
            yield Problem(code="name-missing", place=f"name_{language}", text="is empty: Kyrgyz and Russian are needed")


def _relation_problems(body: Body, bodies: Mapping[str, Body]) -> Iterator[Problem]:
    parent = bodies.get(body.parent)
    if parent is not None and body.soate and parent.soate and not lies_in(body.soate, parent.soate):
        text = f"{body.soate} does not lie in {parent.soate}, where its parent {parent.code} is"
        yield Problem(code="soate-mismatch", place="soate", text=text)
    if body.parent and (body.parent == body.code or body.parent not in bodies):
        text = f"the directory lists no other body '{body.parent}': enter the parent first"
        yield Problem(code="parent-unknown", place="parent", text=text)
    if not body.gateway:
        return
    gateway = bodies.get(body.gateway)
    if gateway is None or body.gateway == body.code or gateway.status is BodyStatus.LEFT or gateway.gateway:
        text = f"no body '{body.gateway}' with an agent of its own is listed: name one, or leave it out"
        yield Problem(code="gateway-unknown", place="gateway", text=text)
