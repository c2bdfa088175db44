"""What a client of the exchange was told, and what the nemesis did meanwhile: the checker's first witness.

A history is a file of JSON lines that is only ever added to. A line is one `write` of the system, so several
processes may share a file and a killed one leaves whole lines. Write a line as soon as something is known and
before anything is done about it:

    with Recorder(folder / "body-01.jsonl") as history:
        history.write(HandedIn(now(), "body-01", "m-1", ("body-02",), Outcome.ACKNOWLEDGED))

Times are seconds since 1970 UTC by a clock that no fault steps: that of the machine on which all of this runs.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Self


class Outcome(StrEnum):
    """How something that was handed in ended for whoever handed it in."""

    ACKNOWLEDGED = "acknowledged"
    """The call returned, or the package stands among those sent: from now on it is the exchange's."""
    REFUSED = "refused"
    """An error with a code that says that it was not taken."""
    UNKNOWN = "unknown"
    """Interrupted, or an error that does not say: it may have been taken or not."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A body handed a letter in; tried again it is another line.

    Attributes:
        at: when the outcome was known.
        code: of the error, when the outcome is not `acknowledged`; may be empty for `unknown`.
    """

    at: float
    body: str
    message_id: str
    recipients: tuple[str, ...]
    outcome: Outcome
    code: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A body saw a letter that had arrived, each letter once per client or document system.

    Attributes:
        place: 1, 2, 3, … in the order in which letters arrived at the body.
        letter: statement digest.
    """

    at: float
    body: str
    place: int
    message_id: str
    sender: str
    letter: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """A body handed in what it says of a letter that arrived: a receipt.

    Attributes:
        at: when the outcome was known.
        letter: statement digest.
        event: name of `exchange.domain.event.Event`: `registered`, `refused`, `handed-over`, …
        number: registration number given, else empty.
        code: as in `HandedIn`.
    """

    at: float
    body: str
    letter: bytes
    event: str
    number: str
    outcome: Outcome
    code: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A body saw what the exchange decided on a letter of its own: the agent's `taken`, `refused` or `void`.

    Attributes:
        letter: statement digest.
        code: why it was not taken, else empty.
    """

    at: float
    body: str
    message_id: str
    letter: bytes
    state: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A body saw a receipt about a letter of its own.

    Attributes:
        actor: who says so.
        event: as in `Answered`.
        number: registration number at the actor, else empty.
    """

    at: float
    body: str
    message_id: str
    actor: str
    event: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A body's spool was replaced by an older copy, which does not know a letter that it had acknowledged.

    From here on nobody tells the body of that letter; it may be lost, as the disk that had it is.
    """

    at: float
    body: str
    message_id: str


@dataclass(frozen=True, slots=True)
class FaultBegan:
    """The nemesis broke something.

    Attributes:
        number: 1, 2, 3, … within the run.
        name: of the kind of fault.
        target: what was hit.
        seed: of the run.
    """

    at: float
    number: int
    name: str
    target: str
    seed: int


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """What fault `number` broke works again, as far as the nemesis is concerned; its process was started again."""

    at: float
    number: int


Line = HandedIn | Arrived | Answered | Settled | Heard | Forgotten | FaultBegan | FaultEnded

_KINDS: dict[str, type[Line]] = {
    kind.__name__: kind for kind in (HandedIn, Arrived, Answered, Settled, Heard, Forgotten, FaultBegan, FaultEnded)
}
_READ: dict[Any, Any] = {bytes: bytes.fromhex, tuple[str, ...]: tuple, Outcome: Outcome}
"""What JSON has no word for, by annotation."""


class Recorder:
    """Adds to a history; a context manager, for any threads and processes."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._file = -1

    def __enter__(self) -> Self:
        """Open the file, or make it."""
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        os.close(self._file)

    def write(self, line: Line) -> None:
        """Add a line; it outlives this process when this returns."""
        record = {"kind": type(line).__name__, **asdict(line)}
        data = json.dumps(record, ensure_ascii=False, default=bytes.hex).encode() + b"\n"
        if os.write(self._file, data) != len(data):
            message = f"{self._path}: the disk of the histories is full"
            raise OSError(message)


def read_history(paths: Iterable[Path]) -> list[Line]:
    """All lines of some histories by time; those of one file stay in its order where times are equal."""
    texts = [text for path in paths for text in path.read_text(encoding="utf-8").splitlines()]
    return sorted(map(_line, texts), key=lambda line: line.at)


def _line(text: str) -> Line:
    record = json.loads(text)
    kind = _KINDS[record.pop("kind")]
    return kind(**{field.name: _READ.get(field.type, _as_is)(record[field.name]) for field in fields(kind)})


def _as_is(value: Any) -> Any:
    return value
