"""The JSON Schemas in the tree."""

import json

import jsonschema
import pytest

from adapters.schemas import SCHEMAS
from exchange.resources import resource


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_the_one_that_its_types_make(name: str) -> None:
    """`make schemas` writes them; each is a schema of JSON Schema 2020-12."""
    written = json.loads(resource("schemas", "json", name).read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(SCHEMAS[name]()))
    jsonschema.Draft202012Validator.check_schema(written)


def test_each_schema_has_its_maker() -> None:
    """No file lies there that nothing writes."""
    assert {file.name for file in resource("schemas", "json").iterdir()} == set(SCHEMAS)
