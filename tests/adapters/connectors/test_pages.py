"""The pages of the connectors: their profiles are profiles, their examples do what they say, no option is missing."""

import re
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import pytest

from adapters.connectors.folder import FolderConnector
from adapters.plugins import connectors
from adapters.profile import json_schema, read_profile

DOCS = Path(__file__).parents[3] / "docs" / "connectors"


def block(page: str, language: str) -> str:
    """The first example of a page in some language."""
    return (DOCS / page).read_text(encoding="utf-8").split(f"```{language}\n")[1].partition("```")[0]


@pytest.mark.parametrize("kind", ["folder", "sql", "http"])
def test_a_pages_profile_is_one(kind: str, tmp_path: Path) -> None:
    """For the exchange and for the editors' schema."""
    text = block(f"{kind}.md", "toml")
    (tmp_path / "edms.toml").write_text(text, encoding="utf-8")
    assert read_profile(tmp_path / "edms.toml").connector.name == kind
    jsonschema.validate(tomllib.loads(text), json_schema())


@pytest.mark.parametrize("kind", ["folder", "sql", "http"])
def test_a_page_explains_each_option(kind: str) -> None:
    """In its table."""
    page = (DOCS / f"{kind}.md").read_text(encoding="utf-8")
    explained = {
        name for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert set(connectors()[kind].options.__struct_fields__) <= explained


def test_a_package_that_is_renamed_into_place(tmp_path: Path) -> None:
    """As the folder's page does it."""
    connector = FolderConnector(tmp_path)
    subprocess.run(["sh", "-e"], input=block("folder.md", "sh").encode(), cwd=tmp_path, check=True)
    list(connector.collect(5))
    assert [(package.name, dict(package.files)) for package in connector.collect(5)] == [
        ("kat-17", {"document.xml": b"<a/>"})
    ]
