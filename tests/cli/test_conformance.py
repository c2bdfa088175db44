"""`exchange conformance`: a document system that does what it should, and ones that do not."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner, Result

from adapters.conformance.cases import Case, Want, cases
from adapters.conformance.judge import Judge
from adapters.formats import FORMATS
from adapters.ports import WritingFormat
from exchange.agent.ports import ArrivedReceipt, DraftLetter, Package
from exchange.cli import app, conformance
from exchange.cli.adapter.opening import nobody
from exchange.cli.conformance import Program
from exchange.domain.card import ReceiptCard
from exchange.domain.errors import DocumentError
from exchange.domain.event import Event
from exchange.domain.ids import digest
from exchange.embedded.edms import drop
from tests.adapters.support import NOW
from tests.patience import PATIENCE

DAY = date(2022, 3, 1)


@dataclass
class Vendor:
    """A vendor's document system: registers each letter under a number that follows from its id.

    `fault` is what is wrong with it.
    """

    fmt: WritingFormat
    root: Path
    fault: str = ""
    seen: set[str] = field(default_factory=set)
    count: int = 0

    def step(self) -> None:
        """Look at what is new."""
        for folder in sorted((self.root / "in").glob("*")):
            if folder.name not in self.seen:
                self.seen.add(folder.name)
                files = {file.name: file.read_bytes() for file in folder.iterdir()}
                for package in self.answers(Package(folder.name, files)):
                    drop(self.root, package)

    def answers(self, package: Package) -> Iterator[Package]:
        """What it says about a package."""
        try:
            message = self.fmt.parse(package, nobody(NOW))
        except DocumentError:
            return
        if isinstance(message, DraftLetter) and self.fault != "silent":
            self.count += 1
            yield Package(f"answer-{self.count}", self.registered(message).files)

    def registered(self, letter: DraftLetter) -> Package:
        """Its notice."""
        number = str(self.count) if self.fault == "counts" else digest(letter.message_id.encode()).hex()[:6]
        card = ReceiptCard(reg_number=number, reg_date=DAY)
        ident = digest(f"{letter.message_id}{self.count}".encode())
        said = ArrivedReceipt(
            ident, ident, letter.message_id, letter.card, "vendor", Event.REGISTERED, NOW, "", "", card
        )  # fmt: skip
        written = self.fmt.render_receipt(said, letter.card.sender.body, nobody(NOW))
        assert written is not None
        if self.fault == "nonsense":
            return Package("", {name: data[:-9] for name, data in written.files.items()})
        return written


@contextmanager
def running(vendor: Vendor) -> Iterator[None]:
    """It looks at its folder all the time."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            vendor.step()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run(*arguments: object) -> Result:
    """`exchange conformance …`."""
    return CliRunner().invoke(app, ["conformance", *map(str, arguments)])


def test_a_system_that_does_what_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case conforms, by a folder; the report is there for machines too."""
    name = "gost53898"
    vendor = Vendor(FORMATS[name], tmp_path)
    (tmp_path / "in").mkdir()
    monkeypatch.setattr(conformance, "SILENCE", 0.1 / PATIENCE)
    with running(vendor):
        done = run(tmp_path, "--format", name, "--wait", PATIENCE, "--junit", tmp_path / "report.xml")
    assert done.exit_code == 0, done.stdout
    assert "cases conform" in done.stdout
    assert "It had sent no letter before" in done.stdout
    suite = etree.parse(tmp_path / "report.xml").getroot()
    assert suite.get("failures") == "0"
    assert int(suite.get("tests", "0")) == len(suite) > 20


def judged(vendor: Vendor) -> dict[str, tuple[str, ...]]:
    """The problems of each case, without waiting."""
    judge = Judge(vendor.fmt, nobody(NOW))
    results = [judge.judge(case, list(vendor.answers(case.package)), "", 0.0) for case in all_cases(vendor.fmt)]
    return {result.case: result.problems for result in results if result.problems}


def all_cases(fmt: WritingFormat) -> list[Case]:
    """With a letter that the system had sent."""
    return list(cases(fmt, nobody(NOW), NOW, None))


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
def test_every_format_has_its_cases(fmt: WritingFormat, tmp_path: Path) -> None:
    """Letters that the format reads, packages that it refuses, receipts."""
    found = all_cases(fmt)
    assert len({case.name for case in found}) == len(found)
    for case in found:
        if case.want is Want.NOT_TAKEN:
            with pytest.raises(DocumentError):
                fmt.parse(case.package, nobody(NOW))
        else:
            fmt.parse(case.package, nobody(NOW))
    assert judged(Vendor(fmt, tmp_path)) == {}


def test_receipts_about_its_own_letter() -> None:
    """It had sent one: then each order of receipts is tried on that, too."""
    fmt = FORMATS["medo-2.6"]
    own = fmt.parse(all_cases(fmt)[0].package, nobody(NOW))
    assert isinstance(own, DraftLetter)
    about = [case.about for case in cases(fmt, nobody(NOW), NOW, own) if case.want is Want.SURVIVED]
    assert sum("a letter that it sent" in each for each in about) == len(about) / 2 > 5


def test_what_does_not_conform_is_named(tmp_path: Path) -> None:
    """Silence, another number for the same letter, documents that are none."""
    fmt = FORMATS["medo-2.6"]
    silent = judged(Vendor(fmt, tmp_path, "silent"))
    assert "neither registered nor refused" in silent["minimal"][0]
    assert judged(Vendor(fmt, tmp_path, "counts")) == {"repeated": ("registered again, under 2",)}
    nonsense = judged(Vendor(fmt, tmp_path, "nonsense"))
    assert "(document-malformed)" in nonsense["kyrgyz"][0]


def test_a_broken_letter_must_not_be_registered(tmp_path: Path) -> None:
    """Whoever does so has read what is not there."""
    fmt = FORMATS["medo-2.6"]
    vendor, judge = Vendor(fmt, tmp_path), Judge(fmt, nobody(NOW))
    minimal, truncated = all_cases(fmt)[:2]
    letter = fmt.parse(minimal.package, nobody(NOW))
    assert isinstance(letter, DraftLetter)
    notice = Package("n", vendor.registered(letter).files)
    forged = {
        name: data.replace(minimal.message_id.encode(), truncated.message_id.encode())
        for name, data in notice.files.items()
    }
    result = judge.judge(truncated, [Package("n", forged)], "", 0.0)
    assert result.problems == ("registered what is no letter",)


COMMAND = """
import pathlib, shutil, sys
given, out = map(pathlib.Path, sys.argv[1:])
if given.name == "truncated":
    sys.exit("no letter")
if given.name == "slow":
    import time
    time.sleep(3600)
(out / given.name).mkdir()
(out / given.name / "document.xml").write_bytes((given / "document.xml").read_bytes())
"""


def test_a_program_is_run_for_each_case(tmp_path: Path) -> None:
    """With the package and where to write; how it ended is told."""
    (tmp_path / "edms.py").write_text(COMMAND)
    program = Program((sys.executable, "-S", "-E", str(tmp_path / "edms.py")), tmp_path, PATIENCE)
    minimal, truncated = all_cases(FORMATS["medo-2.6"])[:2]
    assert program.hand_over(minimal) == ""
    (written,) = program.written()
    assert written.files["document.xml"] == minimal.package.files["document.xml"]
    assert program.hand_over(truncated) == "the program ended with 1: no letter"
    slow = Case("slow", "", minimal.package, Want.DECIDED)
    assert replace(program, wait=1.0).hand_over(slow) == "the program did not end within 1 s"


def test_mistakes(tmp_path: Path) -> None:
    """Neither a folder nor a program; no format; a report that cannot be written."""
    assert "error[program-missing]" in run(tmp_path / "nothing", "--format", "medo-2.6").stderr
    assert "error[format-unknown]" in run(tmp_path, "--format", "medo-9").stderr
    done = run("/bin/true", "--format", "medo-2.6", "--wait", 1, "--json")
    assert done.exit_code == 1
    assert any(case["problems"] for case in json.loads(done.stdout)["result"])
