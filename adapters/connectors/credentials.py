"""Passwords and keys of connectors: named by the profile, never in it, and in no message.

"keys/edms.password"        a file beside the profile, with the secret in one line
"credential:edms"           what systemd gives the service under that name (LoadCredential=)
"environment:EDMS_SECRET"   a variable of the process's environment
"""

import stat
from pathlib import Path

from adapters.ports import Place
from exchange.domain.errors import ConfigurationError

NAMED = "a file's path, credential:<name> of systemd, or environment:<variable>"
"""What an option that names a secret may be, for descriptions."""
_BYTES = 16 * 1024


def secret(named: str, place: Place) -> str:
    """The secret that a profile names.

    Raises:
        ConfigurationError: `secret-missing`, `secret-unusable`, `credential-missing`; names where, never what.
    """
    kind, _, variable = named.partition(":")
    if kind == "environment":
        value = place.machine.environ.get(variable, "")
        if not value:
            message = f"the variable {variable} is not set: give the process its secret, or name a file"
            raise ConfigurationError(message, code="secret-missing")
        return value
    path = given_file(named, place)
    line = read_private(path).removesuffix(b"\n").removesuffix(b"\r")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text:
        raise _unusable(path, "is not one line of UTF-8 text: write the secret there, and nothing else")
    return text


def given_file(named: str, place: Place) -> Path:
    """A file by its path, or by the name under which systemd gives it to the service.

    Raises:
        ConfigurationError: `credential-missing`.
    """
    kind, _, credential = named.partition(":")
    if kind != "credential":
        return place.path(named)
    folder = place.machine.environ.get("CREDENTIALS_DIRECTORY")
    if not folder or not credential or "/" in credential:
        message = f"{named}: systemd gave no such credential: add LoadCredential={credential}:<file> to the service"
        raise ConfigurationError(message, code="credential-missing")
    return Path(folder, credential)


def read_private(path: Path) -> bytes:
    """A small file that others than its owner and group have no rights on.

    Raises:
        ConfigurationError: `secret-missing`, `secret-unusable`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES + 1)
            mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} is not there: put the secret into it", code="secret-missing") from error
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror}): check its rights") from error
    if mode & stat.S_IRWXO:
        raise _unusable(path, f"has mode {mode:04o}, everybody can read or change it: run chmod 600 {path}")
    if len(data) > _BYTES:
        raise _unusable(path, "is too large for a secret: check that it is the right file")
    return data


def _unusable(path: Path, problem: str) -> ConfigurationError:
    return ConfigurationError(f"{path} {problem}", code="secret-unusable")
