"""Bodies by the identifiers that EDMS formats use, and back."""

from collections.abc import Iterable
from dataclasses import replace

from exchange.domain.card import Party
from exchange.domain.directory import Directory
from exchange.domain.errors import DocumentError
from exchange.domain.ids import is_body_code


class Bodies:
    """A directory as formats need it. Identifiers compare without regard to case."""

    def __init__(self, directory: Directory) -> None:
        """See bodies as `directory` has them."""
        self._directory = directory

    def find(self, uid: str) -> str:
        """Code of a body: by identifier, else the text itself where it could be a code, else empty.

        A directory that lists nobody is of whom looks at files before there is one: identifiers stand for themselves.
        """
        if not self._directory.bodies:
            return uid
        key = uid.casefold()
        return self._directory.codes.get(key) or (key if is_body_code(key) else "")

    def destination(self, uid: str, place: str) -> str:
        """Code of a body that a letter shall go to.

        Raises:
            DocumentError: `recipient-unknown`: neither in the directory nor possibly a body's code.
        """
        code = self.find(uid)
        if not code:
            message = "no identifier or code of a body: look the addressee up in the directory"
            raise DocumentError(message, code="recipient-unknown", place=place)
        return code

    def uid(self, code: str, written: str = "") -> str:
        """Identifier to write for a body: the one already written if it is its, else its first, else its code."""
        if written and self.find(written) == code:
            return written
        body = self._directory.bodies.get(code)
        return body.uids[0] if body and body.uids else code

    def name(self, code: str, written: str = "") -> str:
        """Name to write for a body: the one already written if it is one of its names, else the Russian one.

        Russian is the language of the formats' words; a body without a Russian name has the Kyrgyz one, a body that
        is unknown its code. Many bodies have no English name: nothing written is none of a body's names.
        """
        body = self._directory.bodies.get(code)
        if body is None:
            return code
        names = body.names
        return written if written and written in {names.ky, names.ru, names.en} else names.ru or names.ky

    def names(self, code: str) -> frozenset[str]:
        """All names of a body; a body that is unknown has its code."""
        body = self._directory.bodies.get(code)
        return frozenset({code} if body is None else {body.names.ky, body.names.ru, body.names.en} - {""})

    def party(self, party: Party) -> Party:
        """The same party with its code filled in."""
        return replace(party, body=self.find(party.uid)) if party.uid else party


def route(destinations: Iterable[Party], addressees: Iterable[Party]) -> tuple[tuple[str, ...], tuple[Party, ...]]:
    """Where a letter goes, and its addressees in that order.

    Destinations are where this message is sent to; without any, the addressees that have an
    identifier are. A body named twice (a minister and a deputy) gets one letter and stays twice
    among the addressees.

    Returns:
        The recipients' codes; the addressees: one for each recipient, then all others.
    """
    named = list(addressees)
    wanted = list(destinations) or [party for party in named if party.body]
    first: dict[str, Party] = {}
    for party in wanted:
        if party.body not in first:
            position = next((index for index, other in enumerate(named) if other.body == party.body), None)
            first[party.body] = party if position is None else named.pop(position)
    return tuple(first), (*first.values(), *named)
