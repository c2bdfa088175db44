"""What the heaviest inputs cost every format, in memory: `python -m tests.adapters.formats.heavy` measures and says so.

A process of its own, because a peak is one of a process. A JSON object per line: format, kind, input and peak in MB,
how it ended.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from adapters.plugins import formats
from exchange.agent.ports import Package
from exchange.security.documents import Anchors
from tests.adapters.formats.bad_input import Good, goods, opened, refused
from tests.security.documents.reported import reports_on

MB = 1024 * 1024
LARGEST = 64 * MB
SMALL, MIDDLE = MB - 4096, 8 * MB - 4096
"""Just below what formats read: what they read costs more than what they refuse."""
_TEXT = re.compile(rb'(?<=>)[^<>]+(?=</)|(?<=: ")[^"]+')


def documents() -> Iterator[tuple[str, bytes]]:
    """Documents that are one heavy thing and nothing else."""
    for size in (SMALL, MIDDLE, 40_000_000):
        yield "elements", b"<a>" + b"<b/>" * (size // 4 - 2) + b"</a>"
        yield "objects", b"[" + b'{"a":{}},' * (size // 9 - 1) + b"{}]"
    for size in (SMALL, MIDDLE):
        yield "attributes", b"<a " + b" ".join(b'a%x=""' % n for n in range(size // 11)) + b"/>"
    for size in (MIDDLE, LARGEST):
        yield "deep elements", b"<a>" * (size // 3)
        yield "deep arrays", b"[" * size
    yield "comments", b"<!---->" * (MIDDLE // 7 - 1) + b"<a/>"
    yield "numbers", b"[" + b"0," * (MIDDLE // 2 - 2) + b"0]"
    yield "digits", b'{"a":' + b"9" * (MIDDLE - 6) + b"}"
    yield "string", b'{"a":"' + b"\\u0430" * (MIDDLE // 6 - 2) + b'"}'
    yield "zeros", bytes(LARGEST)


def texts() -> Iterator[tuple[str, bytes]]:
    """Texts that take the place of the longest one of a document that is understood."""
    for size in (SMALL, MIDDLE):
        yield "base64", b"QUJD" * (size // 4)
        yield "base64 with blanks", b"AAAA\r\n  " * (size // 8)
    yield "long text", b"x" * (LARGEST - MB)


def main() -> None:
    """Measure everything."""
    for kind, data in documents():
        for name in formats():
            _measured(name, kind, len(data), partial(_outcome, name, goods(name)[0].with_document(data)))
    for kind, data in texts():
        for name in formats():
            _measured(name, kind, len(data), partial(_outcome, name, _within(goods(name)[0], data)))
    for name in formats():
        good = goods(name)[0]
        files = {file: bytes(LARGEST - MB) for file in list(good.package.files) if file != good.document}
        some = dict(list(files.items())[:1])
        _measured(name, "file", LARGEST, partial(_outcome, name, Package("kat", {**good.package.files, **some})))
    for data in (bytes(LARGEST // 2), b"MIIx" * (LARGEST // 8)):
        _measured("", "document signature", LARGEST, partial(_signature, b"x" * (LARGEST // 2), data))


def _outcome(name: str, package: Package) -> str:
    return refused(opened(name), package) or "read"


def _signature(content: bytes, cms: bytes) -> str:
    (report,) = reports_on(content, cms, Anchors(), datetime(2026, 1, 1, tzinfo=UTC))
    return str(report.reason)


def _within(good: Good, text: bytes) -> Package:
    document = good.package.files[good.document]
    longest = max(_TEXT.finditer(document), key=lambda found: len(found[0]))
    return good.with_document(document[: longest.start()] + text + document[longest.end() :])


def _measured(name: str, kind: str, size: int, work: Callable[[], str]) -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew: proc_pid_clear_refs(5)
    ended = work()
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert peak is not None
    measured = {
        "format": name,
        "kind": kind,
        "mb": round(size / MB, 1),
        "peak_mb": int(peak[1]) // 1024,
        "ended": ended,
    }
    print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    main()
