"""Keys of people who sit at the terminal: who keeps one encrypted is asked for its passphrase."""

from pathlib import Path

import typer

from exchange.security.errors import KeyRefused
from exchange.security.keys import PrivateKey, load_private_key, unlock_private_key


def own_key(path: Path) -> PrivateKey:
    """A person's key.

    Raises:
        KeyRefused: as `unlock_private_key`.
    """
    try:
        return load_private_key(path)
    except KeyRefused as refused:
        if refused.code != "key-encrypted":
            raise
    return unlock_private_key(path, typer.prompt(f"Passphrase of {path}", hide_input=True, err=True))


def new_passphrase(path: Path) -> str:
    """The passphrase for a key that is to be made, said twice."""
    passphrase: str = typer.prompt(f"Passphrase for {path}", hide_input=True, confirmation_prompt=True, err=True)
    return passphrase
