"""The agent's API stands for all that are served."""

from tests.services.api.conftest import api, authority_folder, place

__all__ = ["api", "authority_folder", "place"]
