"""How far a verification has come, in a file: it goes on after it was stopped, and later with what came since.

The file is the auditor's own and is believed. It holds digests and numbers, no contents.
"""

import json
from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from exchange.domain.decision import OriginState
from exchange.domain.errors import ConfigurationError
from exchange.domain.origin import OriginBook
from exchange.journal.chains import Lane
from exchange.journal.findings import FindingCode
from exchange.security.files import write_atomically
from exchange.services.audit.findings import TreeCode, Verified, Wrong
from exchange.tlog.frontier import Frontier

_VERSION = 1


@dataclass(slots=True)
class Standing:
    """Where a verification stands.

    Attributes:
        begun: index of the first heads of it.
        heads: the log of heads as far as it was verified.
        logs: each partition's log so far; may be ahead of the heads.
        lanes: as far as they were followed, without what waits.
        waiting: places of entries that wait for those before them in their lane.
        report: what was seen.
    """

    begun: int = 0
    heads: Frontier = field(default_factory=Frontier)
    logs: list[Frontier] = field(default_factory=list)
    lanes: dict[int, Lane] = field(default_factory=dict)
    waiting: list[tuple[int, int]] = field(default_factory=list)
    report: Verified = field(default_factory=Verified)


def load(file: Path) -> Standing | None:
    """What an earlier run left; None when there is none.

    Raises:
        ConfigurationError: `audit-state-invalid`.
    """
    try:
        value = json.loads(file.read_bytes())
        return _standing(value)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{file} is no state of a verification ({type(error).__name__}): remove it and begin again"
        raise ConfigurationError(message, code="audit-state-invalid") from error


def _standing(value: dict[str, Any]) -> Standing:
    if value["version"] != _VERSION:
        message = f"version {value['version']}"
        raise ValueError(message)
    return Standing(
        value["begun"],
        _frontier(value["heads"]),
        [_frontier(log) for log in value["logs"]],
        {int(number): _lane(lane) for number, lane in value["lanes"].items()},
        [(partition, index) for partition, index in value["waiting"]],
        _report(value["report"]),
    )


def keep(file: Path, standing: Standing) -> None:
    """Write it, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    value = {
        "version": _VERSION,
        "begun": standing.begun,
        "heads": _frontier_text(standing.heads),
        "logs": [_frontier_text(log) for log in standing.logs],
        "lanes": {number: _lane_text(lane) for number, lane in standing.lanes.items()},
        "waiting": standing.waiting,
        "report": _report_text(standing.report),
    }
    write_atomically(file, json.dumps(value).encode())


def _frontier_text(frontier: Frontier) -> list[Any]:
    return [frontier.size, [_text(subtree) for subtree in frontier.subtrees]]


def _frontier(value: list[Any]) -> Frontier:
    size, subtrees = value
    return Frontier(size, map(b64decode, subtrees))


def _lane_text(lane: Lane) -> dict[str, Any]:
    return {
        "begun": lane.begun,
        "number": lane.number,
        "digest": None if lane.digest is None else _text(lane.digest),
        "offset": lane.offset,
        "decided": None if lane.decided is None else lane.decided.isoformat(),
        "ground": None if lane.ground is None else [lane.ground[0], *map(_text, lane.ground[1:])],
        "reached": lane.reached,
        "origins": [
            [body, _text(origin), state.number, _text(state.digest), state.closed]
            for (body, origin), state in lane.origins.states.items()
        ],
    }


def _lane(value: dict[str, Any]) -> Lane:
    digest, decided, ground = value["digest"], value["decided"], value["ground"]
    origins = {
        (body, b64decode(origin)): OriginState(number, b64decode(last), closed)
        for body, origin, number, last, closed in value["origins"]
    }
    return Lane(
        value["begun"],
        value["number"],
        None if digest is None else b64decode(digest),
        value["offset"],
        None if decided is None else datetime.fromisoformat(decided),
        None if ground is None else (ground[0], b64decode(ground[1]), b64decode(ground[2])),
        OriginBook(origins),
        {int(partition): number for partition, number in value["reached"].items()},
    )


def _report_text(report: Verified) -> dict[str, Any]:
    return {
        "log": report.log,
        "heads": report.heads,
        "entries": report.entries,
        "until": None if report.until is None else report.until.isoformat(),
        "kinds": report.kinds,
        "decisions": report.decisions,
        "unjudged": report.unjudged,
        "kept": report.kept,
        "deleted": report.deleted,
        "found": report.found,
        "findings": [[each.code, each.log, each.index, each.file, each.detail] for each in report.findings],
    }


def _report(value: dict[str, Any]) -> Verified:
    return Verified(
        log=value["log"],
        heads=value["heads"],
        entries=value["entries"],
        until=None if value["until"] is None else datetime.fromisoformat(value["until"]),
        kinds=Counter(value["kinds"]),
        decisions=Counter(value["decisions"]),
        unjudged=value["unjudged"],
        kept=value["kept"],
        deleted=value["deleted"],
        found=Counter(value["found"]),
        findings=[Wrong(_code(code), *rest) for code, *rest in value["findings"]],
    )


def _code(text: str) -> FindingCode | TreeCode:
    return TreeCode(text) if text in set(TreeCode) else FindingCode(text)


def _text(data: bytes) -> str:
    return b64encode(data).decode()
