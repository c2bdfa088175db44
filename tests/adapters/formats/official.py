"""The official schema of the DHX capsule, which is not ours to copy.

It lies in github.com/e-gov/DHX-adapter as `Dvk_kapsel_vers_2_1_eng_est.xsd` (MIT licence). Tests find it by
`DHX_CAPSULE_XSD`, or in the folder of samples beside the project. Without it the run says so at its end, and our own
schema alone decides.
"""

import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from exchange.agent.ports import Package

_NAME = "Dvk_kapsel_vers_2_1_eng_est.xsd"
_BESIDE = Path(__file__).parents[4] / "shared" / "data" / "samples" / "dhx" / _NAME
_NOT_RUN = f"capsules against the official schema: set DHX_CAPSULE_XSD to the path of {_NAME}"


@cache
def official_schema() -> etree.XMLSchema | None:
    """The schema, None where this machine does not have it. libxml2 validates: another program than the product's."""
    path = Path(os.environ.get("DHX_CAPSULE_XSD", _BESIDE))
    return etree.XMLSchema(file=str(path)) if path.is_file() else None


def tell_if_absent(config: pytest.Config) -> None:
    """Note at the end of the run that capsules were validated by our own schema only."""
    plugin = config.pluginmanager.get_plugin("not-run")
    if official_schema() is None and plugin is not None and _NOT_RUN not in plugin.notes:
        plugin.notes.append(_NOT_RUN)


def assert_official(package: Package) -> None:
    """The capsule of a package is valid for the official schema, where that is at hand."""
    official = official_schema()
    if official is not None:
        official.assertValid(etree.fromstring(package.files["capsule.xml"]))
