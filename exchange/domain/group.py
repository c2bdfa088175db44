"""Expressions that name bodies: recipients of a circular (rule 1.7), and who may write to whom.

    expression = item *("," item)      the order of items says nothing
    item       = ["-"] term            "-": without these
    term       = "all"                 every body of the directory
               | "kind:" words         every body of that kind
               | "soate:" digits       every body in that oblast, raion or aimak: its SOATE begins so
               | "parent:" code        every body directly below that one
               | code                  that body

    kind:ministry, natstat             all ministries, and the statistics committee
    soate:41708, -kind:court           Chui oblast without its courts
    all, -minjust                      everybody but the ministry of justice

An expression has at most 64 items, so that a few bytes cannot cost everybody who reads them much work.
Blanks around items and terms count for nothing. A whole SOATE code of 14 digits means the unit that it
is the code of, with all that lies in it: `41708000000000` is `41708`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from exchange.domain.directory import Body, Directory
from exchange.domain.entry import KINDS
from exchange.domain.errors import ExchangeError
from exchange.domain.ids import is_body_code
from exchange.domain.own_bodies import takes_letters

ALL = "all"
ITEMS = 64
_SOATE_DIGITS = 14
_DIGITS = re.compile(r"[0-9]{1,14}")
_UNIT_ITSELF = re.compile(r"(?:000)+\Z")


class GroupInvalid(ExchangeError):
    """An expression that names no group; the message says at which character."""

    code = "group-invalid"


@dataclass(frozen=True, slots=True)
class Terms:
    """Some terms of an expression: a body is among them when any of them names it."""

    everybody: bool = False
    codes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    parents: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    """Beginnings of SOATE codes."""
    _lengths: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note how long the beginnings are: however many they are, a body is looked up once for each length."""
        object.__setattr__(self, "_lengths", frozenset(map(len, self.places)))

    def names(self, body: Body) -> bool:
        """Whether any of the terms names `body`."""
        return self.everybody or next(self.naming(body), None) is not None

    def naming(self, body: Body) -> Iterator[str]:
        """The terms but `all` that name `body`, as `spelt` writes them."""
        if body.code in self.codes:
            yield body.code
        if body.kind in self.kinds:
            yield f"kind:{body.kind}"
        if body.parent in self.parents:
            yield f"parent:{body.parent}"
        for length in self._lengths:
            place = body.soate[:length]
            if place in self.places:
                yield f"soate:{place}"

    def spelt(self) -> Iterator[str]:
        """Every term but `all`, in order."""
        yield from sorted(self.codes)
        yield from (f"kind:{kind}" for kind in sorted(self.kinds))
        yield from (f"parent:{code}" for code in sorted(self.parents))
        yield from (f"soate:{place}" for place in sorted(self.places))


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was understood: whom it names, and whom of them it leaves out."""

    wanted: Terms
    unwanted: Terms

    def __contains__(self, body: Body) -> bool:
        """Whether `body` is one of the group."""
        return self.wanted.names(body) and not self.unwanted.names(body)

    def members(self, bodies: Mapping[str, Body]) -> Iterator[Body]:
        """Those of `bodies`, by code, who are of the group; sorted by code."""
        named = self.wanted.everybody or self.wanted.kinds or self.wanted.parents or self.wanted.places
        codes: Iterable[str] = bodies if named else self.wanted.codes & bodies.keys()
        return (bodies[code] for code in sorted(codes) if bodies[code] in self)

    def idle(self, bodies: Mapping[str, Body]) -> Iterator[str]:
        """Terms that name none of `bodies`: slips, for nobody writes to a kind that does not exist."""
        for terms in (self.wanted, self.unwanted):
            found = terms.codes & bodies.keys()
            if terms.kinds or terms.parents or terms.places:
                found |= {term for body in bodies.values() for term in terms.naming(body)}
            yield from (term for term in terms.spelt() if term not in found)


def reached(expression: Expression, sender: str, directory: Directory, named: Directory | None = None) -> list[Body]:
    """Whom `sender` reaches with a group, sorted by code; never itself.

    Args:
        expression: the group.
        sender: who writes.
        directory: the version in force, which says who can be written to.
        named: the version that says who is of the group, when it is another one.
    """
    meant = [body.code for body in expression.members((named or directory).bodies) if body.code != sender]
    found = (directory.bodies.get(code) for code in meant)
    return [body for body in found if body is not None and takes_letters(body)]


def parse_group(text: str) -> Expression:
    """The group that `text` names.

    Raises:
        GroupInvalid: for any other text; names the character where the first wrong item begins.
    """
    wanted: dict[str, set[str]] = {}
    unwanted: dict[str, set[str]] = {}
    begin = 0
    items = text.split(",", ITEMS)
    if len(items) > ITEMS:
        place = len(text) - len(items.pop()) + 1
        message = f"group, character {place}: at most {ITEMS} items; name kinds or places, or send several letters"
        raise GroupInvalid(message)
    for item in items:
        bare = item.strip()
        place = begin + len(item) - len(item.lstrip())
        terms, term = (unwanted, bare[1:].lstrip()) if bare.startswith("-") else (wanted, bare)
        kind, value = _term(term, place + 1)
        terms.setdefault(kind, set()).add(value)
        begin += len(item) + 1
    if not wanted:
        raise GroupInvalid("group, character 1: names only whom to leave out; begin with whom to write to, as in 'all'")
    return Expression(_terms(wanted), _terms(unwanted))


def require_known_kinds(expression: Expression) -> None:
    """Refuse a kind that no body can have: a slip, by which a line would concern, or leave out, nobody.

    Apart from `parse_group`, because journals are replayed for ever: they stay readable if the list of kinds changes.

    Raises:
        GroupInvalid: names the kind, and those that there are.
    """
    unknown = sorted((expression.wanted.kinds | expression.unwanted.kinds).difference(KINDS))
    if unknown:
        raise GroupInvalid(f"'kind:{unknown[0][:40]}' is no kind of body: use one of {', '.join(KINDS)}")


def _term(term: str, character: int) -> tuple[str, str]:
    kind, colon, value = term.partition(":")
    value = value.strip()
    if not colon and (term == ALL or is_body_code(term)):
        return ("all" if term == ALL else "code"), term
    match kind.rstrip() if colon else "":
        case "kind" if value and value.isprintable():
            return "kind", value
        case "parent" if is_body_code(value):
            return "parent", value
        case "soate" if _DIGITS.fullmatch(value):
            return "soate", _UNIT_ITSELF.sub("", value) if len(value) == _SOATE_DIGITS else value
    known = "a body's code, 'all', 'kind:…', 'parent:code' or 'soate:digits'"
    raise GroupInvalid(f"group, character {character}: '{term[:40]}' is none of {known}")


def _terms(found: Mapping[str, set[str]]) -> Terms:
    return Terms(
        everybody="all" in found,
        codes=frozenset(found.get("code", ())),
        kinds=frozenset(found.get("kind", ())),
        parents=frozenset(found.get("parent", ())),
        places=frozenset(found.get("soate", ())),
    )
