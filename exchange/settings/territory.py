"""The country's parts as `config/soate.toml` has them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from exchange.resources import resource


@dataclass(frozen=True, slots=True)
class Territory:
    """Russian names by SOATE code of 14 digits, in the order of the codes."""

    oblasts: Mapping[str, str]
    cities: Mapping[str, str]
    raions: Mapping[str, str]
    ayil_aimaks: Mapping[str, str]

    @property
    def names(self) -> dict[str, str]:
        """All of them."""
        return {**self.oblasts, **self.cities, **self.raions, **self.ayil_aimaks}


def territory() -> Territory:
    """Read the list that travels with the package."""
    tables = tomllib.loads(resource("config", "soate.toml").read_text(encoding="utf-8"))
    return Territory(tables["oblast"], tables["city"], tables["raion"], tables["ayil_aimak"])
