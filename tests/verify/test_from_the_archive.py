"""Packages as `exchange evidence` writes them out of an archive's folder, with reports and an authority that stamps."""

import shlex
from collections.abc import Iterator

import pytest
from exchange_verify.__main__ import main

from tests.requirements import requires_tool
from tests.services.evidence.desk import Desk, opened

pytestmark = requires_tool("openssl", debian="openssl")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Decisions by a revocation list, a time-stamped checkpoint with its evidence record, an authority that answers."""
    with opened(tmp_path_factory.mktemp("desk"), listed=True, renewed=True) as found:
        yield found


def test_the_printed_command_verifies_all_of_it(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the name of the program, in the folder where the reader's own files lie."""
    name, *arguments = shlex.split(desk.packed("case.asice")["commands"][-1])
    capsys.readouterr()
    monkeypatch.chdir(desk.folder)
    assert name == "exchange-verify"
    assert main(arguments) == 0
    *steps, last = capsys.readouterr().out.splitlines()
    assert last == "Everything that is claimed holds."
    assert any("level LTA" in line for line in steps)


@pytest.mark.parametrize("withheld", [["--withhold", "all"], ["--withhold", "card"], []])
def test_whatever_is_withheld(desk: Desk, withheld: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """And a refused letter's."""
    desk.packed("withheld.asice", "--unstamped", *withheld, letter=desk.letter if withheld else desk.refused)
    monkeypatch.chdir(desk.folder)
    brought = ["--root", "1.root.json", "--policy", "log.policy", "--tsa-root", "tsa-root.crt.pem"]
    assert main(["withheld.asice", *brought]) == 0
