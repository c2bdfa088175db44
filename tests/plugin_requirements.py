"""pytest plugin: no test is left out silently.

Programs that the selected tests need are looked for once, installed where possible, before the first
test runs. What is still missing is listed at the end with the command that installs it; under
`CI=true` the run fails then.
"""

import os
from pathlib import Path

import pytest

from tests.requirements import Tool, install, tools_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--not-run-list`, by which `make test` collects the lists of its runs."""
    parser.addoption("--not-run-list", type=Path, help="append what could not be run to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Start the account of this run."""
    config.pluginmanager.register(NotRun(config), "not-run")


class NotRun:
    """The account of one run: which tools are missing, and how many tests each holds back."""

    def __init__(self, config: pytest.Config) -> None:
        """Keep where to write the account."""
        self.missing: dict[Tool, int] = {}
        self.parts: list[str] = []
        """Parts of tests that the machine did not allow, in the tests' own words."""
        self.notes: list[str] = []
        """What was left out for want of something that no package brings: told, and no failure."""
        self._list: Path | None = config.getoption("--not-run-list")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Look for, and install, what the selected tests need; mark those that must wait."""
        if session.config.option.collectonly:
            return
        needs = {item: tools_of(item) for item in session.items}
        absent = {tool for tools in needs.values() for tool in tools if not tool.present and not install(tool)}
        for item, tools in needs.items():
            for tool in sorted(tools & absent):
                self.missing[tool] = self.missing.get(tool, 0) + 1
                item.add_marker(pytest.mark.skip(reason=f"not run: {tool.name} is missing: {tool.remedy}"))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say loudly what was not run, and what would change that."""
        for note in self.notes:
            terminalreporter.line(f"left out: {note}", yellow=True)
        if not self._lines():
            return
        terminalreporter.section("NOT RUN: this machine lacks something", sep="!", red=True, bold=True)
        for line in self._lines():
            terminalreporter.line(line)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail under CI when something was not run; leave the list for `make test`."""
        if not self._lines():
            return
        if os.environ.get("CI") == "true":
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._list is not None:
            self._list.parent.mkdir(parents=True, exist_ok=True)
            with self._list.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in self._lines())

    def _lines(self) -> list[str]:
        missing = sorted(self.missing.items())
        return [*(f"{tool.name}: {count} tests wait for: {tool.remedy}" for tool, count in missing), *self.parts]
