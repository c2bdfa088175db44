"""Who checks pieces: this process, or several others that each open the archive for themselves."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

from exchange.services.audit.pieces import Material, OpenMaterial, Outcome, Piece, check_piece

AHEAD = 3
"""Pieces that each process has before it, so that none ever waits."""
Check = Callable[[Iterable[Piece]], Iterator[Outcome]]
"""Checks pieces one after the other, or several at once; what comes of them comes in their order."""


def check_here(open_material: OpenMaterial) -> Check:
    """In this process."""
    material = open_material()

    def check(pieces: Iterable[Piece]) -> Iterator[Outcome]:
        return (check_piece(material, piece) for piece in pieces)

    return check


class Crew:
    """Several processes; a context manager."""

    def __init__(self, open_material: OpenMaterial, processes: int) -> None:
        """Start them; `open_material` goes to each of them, so it and what it holds can be pickled and compared."""
        self._open = open_material
        self._ahead = AHEAD * processes
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    def __enter__(self) -> Check:
        """Give pieces to them."""
        return self._check

    def __exit__(self, *_: object) -> None:
        """They end what they have begun."""
        self._pool.shutdown(cancel_futures=True)

    def _check(self, pieces: Iterable[Piece]) -> Iterator[Outcome]:
        running: deque[Future[Outcome]] = deque()
        for piece in pieces:
            running.append(self._pool.submit(_check_there, self._open, piece))
            if len(running) > self._ahead:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _check_there(open_material: OpenMaterial, piece: Piece) -> Outcome:
    return check_piece(_opened(open_material), piece)


@cache
def _opened(open_material: OpenMaterial) -> Material:
    """Opened once in each process."""
    return open_material()
