"""How formats name bodies."""

from dataclasses import replace

import pytest

from adapters.formats.bodies import Bodies
from exchange.domain.directory import Body, BodyStatus, Names
from tests.adapters.support import DIRECTORY

NAMES = Names("Ак-Булуң айыл өкмөтү", "Ак-Булунский айыл окмоту", "")


@pytest.mark.parametrize(
    ("names", "written", "name"),
    [
        (NAMES, "", NAMES.ru),
        (NAMES, NAMES.ky, NAMES.ky),
        (NAMES, "somebody else", NAMES.ru),
        (replace(NAMES, ru=""), "", NAMES.ky),
    ],
)
def test_a_body_without_an_english_name_has_a_name(names: Names, written: str, name: str) -> None:
    """Nothing written is none of its names: its Russian one stands there, or the Kyrgyz one."""
    body = Body("ak-bulun", names, "ayil-okmotu", BodyStatus.CONNECTED)
    assert Bodies(replace(DIRECTORY, bodies={"ak-bulun": body})).name("ak-bulun", written) == name
