"""Formats of other packages: the example of the docs, installed as one, and packages that offer none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "plain-letters"
LOOK = "from adapters.plugins import formats; print(*sorted(formats()))"
JUDGE = """
from adapters.conformance.cases import cases
from adapters.plugins import writing_format
from adapters.review import losses
from exchange.cli.adapter.opening import nobody
from exchange.system import now
fmt, moment = writing_format("plain-1"), now()
for case in cases(fmt, nobody(moment), moment, None):
    if case.want.name == "DECIDED":
        draft = fmt.parse(case.package, nobody(moment))
        assert list(losses(case.package, fmt.write(draft, moment, nobody(moment), "again"))) == [], case.name
        print(case.name)
"""
LETTER = (
    "Message: m-1\nFrom: mfa\nTo: minjust\nNumber: 1-2/3\nDate: 2022-03-01\nTitle: Кат\nFile: letter.pdf\nMark: x\n"
)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python where `folder` has packages installed."""
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, installed as its page says, from what is on this machine."""
    folder = tmp_path_factory.mktemp("site")
    command = ["-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation"]
    done = python(folder, *command, "--python", sys.executable, "--target", str(folder), str(EXAMPLE))
    assert done.returncode == 0, done.stderr
    return folder


def test_a_format_of_another_package_is_found(site: Path) -> None:
    """By its entry point, beside ours."""
    done = python(site, "-c", LOOK)
    assert {"plain-1", "medo-2.6", "gost53898", "paper"} <= set(done.stdout.split()), done.stderr


def test_it_is_checked_like_ours(site: Path, tmp_path: Path) -> None:
    """With an option of its own, and what it carries without understanding it."""
    (tmp_path / "edms.toml").write_text(
        'format = { name = "plain-1", separator = " = " }\n[connector]\nkind = "folder"\npath = "edms"\n'
    )
    (tmp_path / "letter").mkdir()
    (tmp_path / "letter" / "letter.txt").write_text(LETTER.replace(": ", " = "))
    (tmp_path / "letter" / "letter.pdf").write_bytes(b"%PDF")
    command = ["adapter", "check", "--json", "--config", str(tmp_path / "edms.toml"), str(tmp_path / "letter")]
    done = python(site, "-m", "exchange.cli", *command)
    (found,) = json.loads(done.stdout)["result"]
    assert (found["understood"]["card.reg_number"], found["carried"]) == ("1-2/3", [{"path": "Mark", "value": "x"}])
    assert (found["lost"], found["faults"]) == ([], [])


def test_it_writes_what_it_reads(site: Path) -> None:
    """The letters of the conformance kit lose nothing that it has a line for."""
    done = python(site, "-c", JUDGE)
    assert done.returncode == 0, done.stderr
    assert "several-files" in done.stdout.split()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("plain_letters:MISSING", "AttributeError while it was loaded"),
        ("plain_letters:PlainFormat", "is no FormatPlugin of that name"),
    ],
)
def test_what_is_no_plug_in_is_named(entry: str, told: str, tmp_path: Path) -> None:
    """With the package's entry, so that it can be mended or removed."""
    metadata = tmp_path / "odd-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[exchange.formats]\nodd = {entry}\n", encoding="utf-8")
    (tmp_path / "plain_letters.py").write_bytes((EXAMPLE / "plain_letters.py").read_bytes())
    done = python(tmp_path, "-c", LOOK)
    assert done.returncode != 0
    assert "plug-in 'odd' of exchange.formats: " in done.stderr
    assert told in done.stderr


def test_nobody_pays_for_connectors_of_others() -> None:
    """Reading a profile with a folder loads no library of databases or HTTP."""
    program = (
        "import sys; from adapters.profile import connectors;"
        "print(sorted(connectors()), {'sqlalchemy', 'httpx'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "['folder', 'http', 'sql'] set()\n"
