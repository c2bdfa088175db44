"""What a wheel has beside its code: schemas, configuration and templates travel inside.

That the program works from there is shown by the demo, whose story is told from it (`test_demo.py`).
"""

import os
import subprocess
import sys
from pathlib import Path


def test_resources_are_found_inside(installed: Path) -> None:
    """Schemas, default policy and the demo's bodies are the wheel's own."""
    code = "import exchange.resources as r; print(r.resource('config', 'policy.toml'), r.resource('schemas', 'avro'))"
    environ = {**os.environ, "PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, env=environ, text=True, capture_output=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    for path in answer.stdout.split():
        assert Path(path).is_relative_to(installed)
        assert Path(path).exists()


def test_the_paper_bridge_finds_its_template(installed: Path) -> None:
    """It lies beside the module that sets pages by it."""
    assert (installed / "adapters" / "paper" / "letter.typ").exists()
    assert (installed / "exchange" / "_resources" / "config" / "soate.toml").exists()
