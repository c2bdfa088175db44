"""A stock Avro library of another language reads statements and decisions as docs/evidence.md says."""

import json
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.go.building import go_program
from tests.patience import PATIENCE
from tests.requirements import requires_tool

pytestmark = [
    pytest.mark.server,
    requires_tool("go", debian="golang-go"),
]
HERE = Path(__file__).parent
SCHEMAS = HERE.parents[1] / "schemas" / "avro"
STATEMENTS = ("0010", "0011", "0012", "0013", "0014", "0015", "0030")
GOLDEN = [path for path in sorted((HERE.parent / "golden").glob("*.avro")) if path.name.startswith(STATEMENTS)]


def run(paths: Iterable[Path]) -> subprocess.CompletedProcess[str]:
    """What Go says of some files."""
    words = [go_program("readavro", HERE, ("./readavro",)), SCHEMAS, *paths]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)


def test_go_reads_what_the_golden_records_say() -> None:
    """Each statement and decision: number of its schema, digest, every field; and it writes the same bytes again."""
    done = run(GOLDEN)
    assert (done.returncode, done.stderr) == (0, "")
    for path, line in zip(GOLDEN, done.stdout.splitlines(), strict=True):
        said = json.loads(line)
        assert said["schema"] == int(path.name[:4])
        assert said["digest"] == sha256(path.read_bytes()).hexdigest()
        assert said["fields"] == json.loads(path.with_suffix(".json").read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize("behind", [b"\0", b""])
def test_another_encoding_is_found(tmp_path: Path, behind: bytes) -> None:
    """A byte behind the record, or an array in a block with its size: Avro reads both, the exchange has neither."""
    data = (HERE.parent / "golden" / "0014-deadline-v1.avro").read_bytes()
    notify = b"\x04\x06mfa\x0eminjust\0"
    assert data.endswith(notify)
    sized = data.removesuffix(notify) + b"\x03\x18\x06mfa\x0eminjust\0"
    odd = tmp_path / "odd"
    odd.write_bytes(data + behind if behind else sized)
    done = run([odd])
    assert done.returncode == 1
    assert "not in the one encoding that it has" in done.stderr
