"""Rights in Kafka's own words: ACL bindings."""

from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from exchange.bus.access import Grant, Operation, Resource

_PRINCIPAL = "User:"
# The library has Kafka's number of a cluster under the name that it has for settings.
_TYPES = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    Resource.CLUSTER: ResourceType.BROKER,
}
_RESOURCES = {kind: resource for resource, kind in _TYPES.items()}


def binding_of(grant: Grant) -> AclBinding:
    """The binding that gives `grant`."""
    return AclBinding(*_parts(grant))


def filter_of(grant: Grant) -> AclBindingFilter:
    """Matches the binding that gives `grant`, and no other."""
    return AclBindingFilter(*_parts(grant))


def _parts(grant: Grant) -> tuple[Any, ...]:
    return (
        _TYPES[grant.resource],
        grant.name,
        ResourcePatternType.PREFIXED if grant.prefix else ResourcePatternType.LITERAL,
        _PRINCIPAL + grant.principal,
        grant.host,
        AclOperation[grant.operation],
        AclPermissionType.DENY if grant.denied else AclPermissionType.ALLOW,
    )


def every_binding() -> AclBindingFilter:
    """Matches all bindings."""
    anything: Any = None  # the annotations of the class forbid what its text asks for
    every = (ResourceType.ANY, anything, ResourcePatternType.ANY, anything, anything)
    return AclBindingFilter(*every, AclOperation.ANY, AclPermissionType.ANY)


def grant_of(binding: AclBinding) -> Grant:
    """What a binding gives, or denies; what this library has no name for reads as unknown."""
    operation = AclOperation(binding.operation).name
    return Grant(
        principal=binding.principal.removeprefix(_PRINCIPAL),
        operation=Operation[operation] if operation in Operation.__members__ else Operation.UNKNOWN,
        resource=_RESOURCES.get(ResourceType(binding.restype), Resource.UNKNOWN),
        name=binding.name,
        prefix=binding.resource_pattern_type is ResourcePatternType.PREFIXED,
        host=binding.host,
        denied=binding.permission_type is not AclPermissionType.ALLOW,
    )
