"""Addresses of the web are looked at without an error, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.address import web_address


@pytest.mark.parametrize("text", ["http://a", "https://a.example:8443/b?c", "http://[::1]:80/", "https://user@a/"])
def test_addresses(text: str) -> None:
    """With or without a port and a path."""
    assert web_address(text) is not None


@pytest.mark.parametrize(
    "text",
    ["", "a.example", "ftp://a", "http://", "http:///a", "http://[", "http://[x]/", "http://a:99999", "http://a:b",
     "http://a:0", "http://a b/", "http://a\n/", "http://\u0430/", "http://\u2100.example", "http://" + "a" * 2000],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    """Some of these make the standard library's parser raise."""
    assert web_address(text) is None


@given(st.text(max_size=40))
def test_anything(rest: str) -> None:
    """Nothing is raised for any text."""
    web_address(rest)
    web_address(f"http://{rest}")
