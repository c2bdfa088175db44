"""How often a sign-in may fail: by account, by address, by known browser.

A stranger who tries one person's passwords makes that account wait, never longer than a quarter of an
hour, and never from a browser where this person signed in before: those are counted apart. A stranger
who tries many accounts makes the address wait.
"""

import ipaddress
from datetime import timedelta

from exchange.domain.ids import digest
from exchange.store.desk.attempts import Limit

LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=1)
FREE_BY_ACCOUNT = 5
FREE_BY_ADDRESS = 20


def account_limit(login: str) -> Limit:
    """For attempts at one account from browsers that it never used; whether it exists or not."""
    return _limit(f"account {login}", FREE_BY_ACCOUNT)


def device_limit(kept: bytes) -> Limit:
    """For attempts from a browser that the account used before."""
    return _limit(f"device {kept.hex()}", FREE_BY_ACCOUNT)


def address_limit(address: str) -> Limit:
    """For attempts from one address; of IPv6 everything that one subscriber has."""
    return _limit(f"address {_network(address)}", FREE_BY_ADDRESS)


def _limit(subject: str, free: int) -> Limit:
    return Limit(digest(subject.encode("utf-8", "replace")), free, LONGEST_WAIT, FORGOTTEN)


def _network(address: str) -> str:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 6:
        mapped = known.ipv4_mapped
        return str(mapped or ipaddress.ip_network((known, 64), strict=False))
    return address
