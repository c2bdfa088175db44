"""What is installed from a wheel, without the checkout, works: schemas and configuration travel inside."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEMO_SECONDS = 240


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the wheel's files."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(site: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Python with the wheel's files before everything else, away from the checkout."""
    environ = {**os.environ, "PYTHONPATH": str(site), "EXCHANGE_STATE": str(site.parent / "state")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=site, env=environ, text=True, capture_output=True, check=False
    )


def test_resources_are_found_inside(installed: Path) -> None:
    """Schemas, default policy and the demo's bodies are the wheel's own."""
    code = "import exchange.resources as r; print(r.resource('config', 'policy.toml'), r.resource('schemas', 'avro'))"
    answer = run(installed, "-c", code)
    assert answer.returncode == 0, answer.stderr
    for path in answer.stdout.split():
        assert Path(path).is_relative_to(installed)
        assert Path(path).exists()


def test_the_paper_bridge_finds_its_template(installed: Path) -> None:
    """It lies beside the module that sets pages by it."""
    assert (installed / "adapters" / "paper" / "letter.typ").exists()
    assert (installed / "exchange" / "_resources" / "config" / "soate.toml").exists()


@pytest.mark.server
@pytest.mark.timeout(DEMO_SECONDS)
def test_demo_runs_from_the_wheel(installed: Path) -> None:
    """`exchange demo` from the installed files, on real Kafka."""
    answer = run(installed, "-m", "exchange.cli", "demo", "--json")
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert json.loads(answer.stdout)
