"""Folders of the user."""

from pathlib import Path

import pytest

from exchange.embedded.folders import cache_folder, state_folder


def test_own_variable_comes_first() -> None:
    """EXCHANGE_CACHE and EXCHANGE_STATE win over everything."""
    environ = {"EXCHANGE_CACHE": "/c", "EXCHANGE_STATE": "/s", "XDG_CACHE_HOME": "/x", "XDG_STATE_HOME": "/x"}
    assert (cache_folder(environ), state_folder(environ)) == (Path("/c"), Path("/s"))


def test_xdg_folders_get_a_folder_of_ours() -> None:
    """Below the XDG folders everything is in `exchange`."""
    environ = {"XDG_CACHE_HOME": "/cache", "XDG_STATE_HOME": "/state"}
    assert cache_folder(environ) == Path("/cache/exchange")
    assert state_folder(environ) == Path("/state/exchange")


@pytest.mark.parametrize("environ", [{}, {"XDG_CACHE_HOME": "relative"}, {"XDG_CACHE_HOME": ""}])
def test_home_is_the_default(environ: dict[str, str]) -> None:
    """Unset, empty and relative XDG folders are ignored, as the specification asks."""
    assert cache_folder(environ) == Path.home() / ".cache" / "exchange"
