"""Rights in Kafka's own words: ACL bindings."""

from collections.abc import Collection
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from exchange.bus.access import ROUTER_TRANSACTIONS, Grant
from exchange.bus.topics import PREFIX

_ANYWHERE = "*"
_PRINCIPAL = "User:"
_OURS = (PREFIX, ROUTER_TRANSACTIONS)


def binding_of(grant: Grant) -> AclBinding:
    """The binding that gives `grant`, from any host."""
    return AclBinding(
        ResourceType[grant.resource],
        grant.name,
        ResourcePatternType.PREFIXED if grant.prefix else ResourcePatternType.LITERAL,
        _PRINCIPAL + grant.principal,
        _ANYWHERE,
        AclOperation[grant.operation],
        AclPermissionType.ALLOW,
    )


def every_binding(principal: str | None = None) -> AclBindingFilter:
    """Matches all bindings, or all of one principal."""
    anything: Any = None  # the annotations of the class forbid what its text asks for
    return AclBindingFilter(
        ResourceType.ANY,
        anything,
        ResourcePatternType.ANY,
        anything if principal is None else _PRINCIPAL + principal,
        anything,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


def principal_of(binding: AclBinding) -> str:
    """Common name that a binding is for."""
    return binding.principal.removeprefix(_PRINCIPAL)


def concerns_us(binding: AclBinding, principals: Collection[str]) -> bool:
    """Whether a binding is of one of `principals`, or on anything of the exchange."""
    if principal_of(binding) in principals or binding.name == _ANYWHERE:
        return True
    if binding.resource_pattern_type is ResourcePatternType.PREFIXED:
        return any(ours.startswith(binding.name) or binding.name.startswith(ours) for ours in _OURS)
    return any(binding.name.startswith(ours) for ours in _OURS)


def described(binding: AclBinding) -> str:
    """The words of `Grant`, for rights that no `Grant` can express, too."""
    wildcard = "*" if binding.resource_pattern_type is ResourcePatternType.PREFIXED else ""
    verb = "may" if binding.permission_type is AclPermissionType.ALLOW else "may not"
    kind = ResourceType(binding.restype).name.lower().replace("_", " ")
    return f"{principal_of(binding)} {verb} {AclOperation(binding.operation).name} {kind} {binding.name}{wildcard}"
