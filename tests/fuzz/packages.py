"""Packages of a document system as bytes, so that each of their files is tried in the company of the others.

The first byte says which of the format's packages, the second which of its files; the rest stands in that file's place.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from adapters.paper import format as paper
from adapters.ports import WritingFormat
from exchange.agent.ports import Format, Package
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from tests.adapters.support import DIRECTORY, NOW, arrived, draft_of, draft_with, receipt

BESIDE = {"letter.pdf": b"%PDF", "letter.p7s": b"0\x82"}
SAID = dict.fromkeys(paper.FIELDS, "") | {"event": "registered", "at": "2022-01-20T00:00:00Z"}
PAPER_RECEIPT = Package("receipt", {paper.RECEIPT: json.dumps(SAID).encode()})


@dataclass(frozen=True, slots=True)
class Packages:
    """Packages that a format understands."""

    known: tuple[Package, ...]

    def seeds(self) -> tuple[bytes, ...]:
        """Each file of each package, which reads as the whole package."""
        return tuple(
            bytes((number, place)) + data
            for number, package in enumerate(self.known)
            for place, data in enumerate(package.files.values())
            if len(data) > len(BESIDE["letter.pdf"])
        )

    def package(self, data: bytes) -> Package:
        """The package that `data` stands for."""
        number, place, content = data[:1], data[1:2], data[2:]
        package = self.known[int.from_bytes(number, "big") % len(self.known)]
        name = list(package.files)[int.from_bytes(place, "big") % len(package.files)]
        return Package(package.name, {**package.files, name: content})


def packages_of(fmt: Format, samples: Mapping[str, bytes]) -> Packages:
    """What a format writes, and those of the samples that it understands."""
    return Packages(tuple(package for package in _candidates(fmt, samples) if _understands(fmt, package)))


def _candidates(fmt: Format, samples: Mapping[str, bytes]) -> Iterator[Package]:
    yield PAPER_RECEIPT
    for name, data in samples.items():
        yield Package(name, {name: data})
        yield Package(name, {name: data, **BESIDE})
    if not hasattr(fmt, "write"):
        return
    draft = draft_of(fmt.name)
    yield cast("WritingFormat", fmt).write(draft, NOW, DIRECTORY, "sent")
    about = dataclasses.replace(draft, card=dataclasses.replace(draft.card, source_format=fmt.name))
    yield fmt.render_letter(arrived(draft_with(about)), "minjust", DIRECTORY)
    for event in Event:
        told = fmt.render_receipt(receipt(event, about, reg_number="7"), "mfa", DIRECTORY)
        if told is not None:
            yield told


def _understands(fmt: Format, package: Package) -> bool:
    try:
        fmt.parse(package, DIRECTORY)
    except DocumentError:
        return False
    return True
