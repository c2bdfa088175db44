"""Keys of people who sit at the terminal: who keeps one encrypted is asked for its passphrase."""

import sys
from pathlib import Path

import typer

from exchange.domain.errors import ConfigurationError
from exchange.security.errors import KeyRefused
from exchange.security.keys import PrivateKey, load_private_key, unlock_private_key


def at_terminal() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin.isatty()


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


def public_beside(path: Path) -> Path:
    """Where the public half of a key goes that is to be made.

    Raises:
        ConfigurationError: `key-file-exists`: one of the two is there.
    """
    public = path.with_name(f"{path.name}.pub")
    for each in (path, public):
        if each.exists():
            message = f"{each} is there already: choose another name, or remove it if nobody relies on it"
            raise ConfigurationError(message, code="key-file-exists")
    return public
