"""Write the golden records of schemas that have none, and register new schemas (`make golden`).

What is there is never changed: a golden record is what some installation has in its journal.
"""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

from exchange.resources import resource
from exchange.wire import records
from tests.golden.samples import SAMPLES

FOLDER = Path(__file__).parent
REGISTER = FOLDER / "schemas.sha256"


def schema_files() -> dict[int, Path]:
    """Files of `schemas/avro/` by schema id."""
    paths = sorted(resource("schemas", "avro").glob("*.avsc"))
    return {int(path.name.split("-", 1)[0]): path for path in paths}


def registered() -> dict[str, str]:
    """SHA-256 of each released schema file, by name."""
    lines = REGISTER.read_text(encoding="utf-8").splitlines() if REGISTER.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def sha256(path: Path) -> str:
    """SHA-256 of a file, as `sha256sum` prints it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def plain(value: Any) -> Any:
    """A record, ours or fastavro's, as JSON that a person reads: bytes in hex, times in ISO 8601."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def as_json(value: object) -> str:
    """The text of a golden record's `.json`."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n"


def golden_files(suffix: str = ".avro") -> list[Path]:
    """All golden records that are checked in."""
    return sorted(FOLDER.glob(f"*{suffix}"))


def missing() -> Iterator[tuple[Path, object]]:
    """Golden records that today's schemas lack: path without suffix, and value."""
    files = schema_files()
    for cls, variants in SAMPLES.items():
        stem = files[records.VERSIONS[cls][-1]].stem
        for variant, value in variants.items():
            path = FOLDER / (f"{stem}.{variant}.avro" if variant else f"{stem}.avro")
            if not path.exists():
                yield path, value


def unsaid() -> Iterator[str]:
    """Fields that no golden record would show: every sample of their class leaves them at the default."""
    for cls, variants in SAMPLES.items():
        fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(cls)
        for field in fields:
            if all(getattr(value, field.name) == field.default for value in variants.values()):
                yield f"{cls.__name__}.{field.name}"


def main() -> None:
    """Add what is missing.

    Raises:
        SystemExit: a new field has no sample yet; a golden record without it could not be changed later.
    """
    silent = list(unsaid())
    if silent:
        sys.exit(f"tests/golden/samples.py says nothing of {', '.join(silent)}: give each a value there first")
    for path, value in missing():
        path.write_bytes(records.encode(value))
        path.with_suffix(".json").write_text(as_json(value), encoding="utf-8")
        print(f"wrote {path.name}")
    known = registered()
    fresh = [path for path in schema_files().values() if path.name not in known]
    with REGISTER.open("a", encoding="utf-8") as register:
        register.writelines(f"{sha256(path)}  {path.name}\n" for path in fresh)


if __name__ == "__main__":
    main()
