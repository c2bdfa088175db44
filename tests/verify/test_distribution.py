"""What `exchange-verify` is made of: readable in an hour, nothing of the exchange, a wheel that works by itself."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from exchange_verify.__main__ import main
from typer.testing import CliRunner

from exchange.cli.verify import app
from tests.verify.making import Course

FOLDER = Path(__file__).parents[2] / "verify"
MODULES = sorted((FOLDER / "exchange_verify").glob("*.py"))
LINES = 900


def test_it_can_be_read_in_an_hour() -> None:
    """Whoever believes it has read it: all lines count, blank ones and what it says of itself too."""
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES) <= LINES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_it_imports_cryptography_and_python_only(path: Path) -> None:
    """Nothing of the exchange: a fault there is none here."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            first = name.partition(".")[0]
            assert first in {"cryptography", "exchange_verify"} or first in sys.stdlib_module_names, name


@pytest.fixture(scope="module")
def given(course: Course, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command's arguments."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "case.asice").write_bytes(course.package())
    (folder / "1.root.json").write_bytes(course.world.root)
    (folder / "log.policy").write_text(course.archive.policy_text, encoding="utf-8")
    return [str(folder / "case.asice"), "--root", str(folder / "1.root.json"), "--policy", str(folder / "log.policy")]


def test_the_wheel_works_by_itself(given: list[str], tmp_path: Path) -> None:
    """Built without network; run where nothing of the exchange can be imported."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=FOLDER, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("exchange_verify-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {name.partition("/")[0].partition("-")[0] for name in archive.namelist()} == {"exchange_verify"}
    run = "import sys; sys.path.insert(0, sys.argv.pop(1)); from exchange_verify.__main__ import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-I", "-c", run, str(wheel), *given], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Everything that is claimed holds."


def test_the_command_says_what_does_not_hold(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the step's number and the file's name."""
    package = Path(given[0])
    data = package.read_bytes()
    broken = package.with_name("broken.asice")
    at = data.index(b"the letter")
    broken.write_bytes(data[:at] + b"THE" + data[at + 3 :])
    assert main([str(broken), *given[1:]]) == 1
    assert "DOES NOT HOLD: step 1: contents/0001-1.pdf" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nowhere.asice", "folder.asice", "empty.asice"])
def test_wrong_use(name: str, given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, or is none, is no package that does not hold: it is said what to do."""
    (tmp_path / "folder.asice").mkdir()
    (tmp_path / "empty.asice").touch()
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / name), *given[1:]])
    assert ended.value.code == 2
    assert "name the package and the files that you bring, see --help" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "log nobody\nquorum none\n", "log a+b+c\nquorum x\n", "witness w\n"])
def test_a_policy_that_is_none(text: str, given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The reader's own file is wrong, so nothing is said of the package."""
    policy = Path(given[0]).with_name("odd.policy")
    policy.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main([*given[:-1], str(policy)])
    assert ended.value.code == 2
    assert "the policy that you brought: " in capsys.readouterr().err


def test_a_root_file_that_is_none(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It is the reader's, and not the package's of the same name."""
    assert main([*given[:2], given[4], *given[3:]]) == 1
    assert "step 2: the root file that you brought: is not what it should be" in capsys.readouterr().out


def test_something_else_than_a_package(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It does not hold, and the reason is said in plain words."""
    assert main([given[2], *given[1:]]) == 1
    assert "step 1: is no zip" in capsys.readouterr().out


def test_exchange_verify_is_the_same(given: list[str]) -> None:
    """The exchange's own command runs the independent verifier."""
    done = CliRunner().invoke(app, given)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "Everything that is claimed holds.")


def test_nothing_that_is_told_moves_the_terminal(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name in a broken package is a stranger's text."""
    package = Path(given[0])
    odd = package.with_name("odd.asice")
    odd.write_bytes(package.read_bytes().replace(b"log.policy", b"log\x1b[31m!."))
    assert main([str(odd), *given[1:]]) == 1
    assert "\x1b" not in capsys.readouterr().out
