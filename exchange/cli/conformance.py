"""`exchange conformance`: a vendor's document system against a format, case by case."""

import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import typer
from lxml import etree
from rich.console import Console

from adapters.conformance.cases import Case, Want, cases
from adapters.conformance.judge import Judge, Result
from adapters.connectors.folder import FolderConnector
from adapters.plugins import writing_format
from exchange import system
from exchange.agent.ports import DraftLetter, Package
from exchange.cli.adapter.converting import store
from exchange.cli.adapter.opening import nobody
from exchange.cli.output import Json, Output, shown
from exchange.domain.errors import ConfigurationError
from exchange.wire.xml import legal_text, serialise

app = typer.Typer(add_completion=False)

LOOK_SECONDS = 0.1
SILENCE = 0.1
"""The part of an answer's time for which something that must not come, or need not, is looked for."""
AT_ONCE = 50


class Tested(Protocol):
    """A document system under test."""

    def hand_over(self, case: Case) -> str:
        """Give it a package; how that failed, empty when it did not."""
        ...

    def written(self) -> list[Package]:
        """What it has written since it was last asked."""
        ...

    def patience(self, case: Case, wait: float) -> float:
        """For how many seconds answers are looked for, when one may take `wait`."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """A document system that is run for each case, as `COMMAND IN OUT`."""

    command: tuple[str, ...]
    folder: Path
    wait: float

    def hand_over(self, case: Case) -> str:
        """See `Tested`."""
        given, answers = self.folder / "in" / case.name, self.folder / "out"
        answers.mkdir(exist_ok=True)
        store(case.package, given)
        try:
            done = subprocess.run([*self.command, given, answers], capture_output=True, timeout=self.wait, check=False)
        except subprocess.TimeoutExpired:
            return f"the program did not end within {self.wait:.0f} s"
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing was said"]
        return f"the program ended with {done.returncode}: {last[0]}" if done.returncode else ""

    def written(self) -> list[Package]:
        """See `Tested`: the program has ended, so every folder is whole."""
        answers = [folder for folder in sorted((self.folder / "out").glob("*")) if folder.is_dir()]
        packages = [_package(folder) for folder in answers]
        for folder in answers:
            shutil.rmtree(folder)
        return packages

    def patience(self, case: Case, wait: float) -> float:  # noqa: ARG002
        """See `Tested`: it has said all when it has ended."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Running:
    """A document system that looks at a folder by itself."""

    connector: FolderConnector

    def hand_over(self, case: Case) -> str:
        """See `Tested`."""
        self.connector.stage(case.name, case.package)
        self.connector.publish(case.name)
        return ""

    def written(self) -> list[Package]:
        """See `Tested`."""
        return _taken(self.connector)

    def patience(self, case: Case, wait: float) -> float:
        """See `Tested`: that nothing comes is not waited for as long as for what must."""
        return wait if case.want is Want.DECIDED else wait * SILENCE


@app.command()
def conformance(
    tested: Annotated[str, typer.Argument(metavar="COMMAND|FOLDER", help="A program, or a folder with in/ and out/.")],
    *,
    name: Annotated[str, typer.Option("--format", metavar="FORMAT", help="What it speaks.")],
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds in which it must answer a letter.")] = 30.0,
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit XML too.")] = None,
    json: Json = False,
) -> None:
    """Hand valid letters, broken ones and receipts in every order to a document system, and judge its answers.

    A COMMAND is run once for each case as `COMMAND IN OUT`: it reads the package in the folder IN and writes its
    answers, a folder each, into OUT. A FOLDER is one that a running document system looks at: packages come into its
    in/, answers are taken from its out/. Exit code 1 when something does not conform.
    """
    fmt, output, now = writing_format(name), Output(as_json=json), system.now()
    directory = nobody(now)
    judge = Judge(fmt, directory)
    with _opened(tested, wait) as under_test, output.doing("handing over") as tell:
        own = _own_letter(judge, under_test)
        results = [_run(case, under_test, judge, wait, tell) for case in cases(fmt, directory, now, own)]
    whole = not any(result.problems for result in results)
    if junit is not None:
        _write_junit(results, name, junit)
    output.verdict(results, lambda console: _render(results, console, own=own is not None), ok=whole)


def _run(case: Case, under_test: Tested, judge: Judge, wait: float, tell: Callable[[str], None]) -> Result:
    tell(case.name)
    began = system.monotonic()
    failure = under_test.hand_over(case)
    until = system.monotonic() + under_test.patience(case, wait)
    written = under_test.written()
    while not judge.answered(case, written) and system.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        written += under_test.written()
    return judge.judge(case, written, failure, round(system.monotonic() - began, 3))


@contextmanager
def _opened(tested: str, wait: float) -> Iterator[Tested]:
    """A folder that is there, else a program with its arguments.

    Raises:
        ConfigurationError: `program-missing`.
    """
    if Path(tested).is_dir():
        yield Running(FolderConnector(Path(tested)))
        return
    command = shlex.split(tested)
    if not command or shutil.which(command[0]) is None:
        message = f"'{tested[:80]}' is neither a folder nor a program that the shell would find: write its path"
        raise ConfigurationError(message, code="program-missing")
    with tempfile.TemporaryDirectory(prefix="exchange-conformance-") as folder:
        yield Program(tuple(command), Path(folder), wait)


def _package(folder: Path) -> Package:
    files = [file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")]
    return Package(folder.name, {file.name: file.read_bytes() for file in files})


def _taken(connector: FolderConnector) -> list[Package]:
    """What waits in `out/`, each put aside: the next answers are told from these."""
    found = list(connector.collect(AT_ONCE))
    for package in found:
        connector.archive(package.name)
    return found


def _own_letter(judge: Judge, under_test: Tested) -> DraftLetter | None:
    """A letter that the system under test had sent before, to tell it of."""
    time.sleep(LOOK_SECONDS)
    understood, _ = judge.read([*under_test.written(), *under_test.written()])
    return next((each for each in understood if isinstance(each, DraftLetter)), None)


def _write_junit(results: Sequence[Result], name: str, file: Path) -> None:
    failures = sum(bool(result.problems) for result in results)
    suite = etree.Element("testsuite", name=f"conformance {name}", tests=str(len(results)), failures=str(failures))
    for result in results:
        case = etree.SubElement(suite, "testcase", name=result.case, classname=name, time=str(result.seconds))
        if result.problems:
            text = legal_text("\n".join(result.problems))
            etree.SubElement(case, "failure", message=legal_text(result.problems[0])).text = text
    try:
        file.write_bytes(serialise(suite))
    except OSError as error:
        message = f"{file} cannot be written ({error.strerror}): name another with --junit"
        raise ConfigurationError(message, code="output-failed") from error


def _render(results: Sequence[Result], console: Console, *, own: bool) -> None:
    for result in results:
        console.print(f"{'[red]✗[/]' if result.problems else '[green]✓[/]'} {result.case}: {shown(result.about)}")
        for problem in result.problems:
            console.print(f"    [red]{shown(problem)}[/]")
        if result.problems:
            console.print(f"    wanted: {result.want}; said: {', '.join(result.answers) or 'nothing'}")
    good = sum(not result.problems for result in results)
    console.print(f"{good} of {len(results)} cases conform")
    if not own:
        console.print("It had sent no letter before, so receipts were only told of letters that it does not know.")
