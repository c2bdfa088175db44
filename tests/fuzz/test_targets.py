"""What the fuzzer tries for long is tried here for a moment: the table is whole, and near misses are refused."""

import pytest

from tests.fuzz.mutants import mutants
from tests.fuzz.targets import names, target

MUTANTS = 50


@pytest.mark.filterwarnings("ignore:Parsed a serial number:cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("name", names())
def test_near_misses_are_refused(name: str) -> None:
    """With nothing but the errors that a parser declares; a format is tried by whoever adds it to the plug-ins."""
    parser = target(name)
    assert parser.seeds
    for seed in parser.seeds:
        parser.feed(seed)
    for mutant in mutants(parser.seeds, MUTANTS, name):
        parser.feed(mutant)
