"""What the readers of the policy's tables do alike."""

from collections.abc import Collection, Mapping
from typing import Any

from exchange.domain.errors import ConfigurationError
from exchange.domain.group import Expression, GroupInvalid, parse_group


def invalid(field: str, problem: str) -> ConfigurationError:
    """What is wrong with a field of the policy."""
    return ConfigurationError(f"policy: {field} {problem}", code="policy-invalid")


def require_keys(table: Mapping[str, Any], known: Collection[str], place: str) -> None:
    """Refuse a key that nobody reads: what it was to forbid would be allowed.

    Raises:
        ConfigurationError: `policy-invalid`, naming the key.
    """
    if unknown := sorted(table.keys() - known):
        raise invalid(
            f"{place}.{unknown[0]}", f"is not known here: remove it, or use one of {', '.join(sorted(known))}"
        )


def tables(value: object, name: str) -> list[Mapping[str, Any]]:
    """The tables of a list of tables.

    Raises:
        ConfigurationError: `policy-invalid`: it is none.
    """
    if not isinstance(value, list) or not all(isinstance(line, dict) for line in value):
        raise invalid(name, f"must be tables: a line [[{name}]] with its keys below")
    return value


def expression(value: object, place: str) -> Expression:
    """The group that a line names.

    Raises:
        ConfigurationError: `policy-invalid`, naming the field and the character.
    """
    if not isinstance(value, str):
        raise invalid(place, 'must be a group in quotes, as in "kind:ministry"')
    try:
        return parse_group(value)
    except GroupInvalid as error:
        raise invalid(place, f"is no group: {error}") from error
