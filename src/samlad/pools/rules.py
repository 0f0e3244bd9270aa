"""What must be shared together: decisions as pure functions."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from samlad.channels import Channel, Resource
from samlad.channels.pooling import Finding, Level, MoveKind

NEEDS: Mapping[Resource, tuple[Resource, ...]] = {
    Resource.PRICES: (Resource.CATALOGUE,),  # a price is that of a variant
    Resource.STOCK: (Resource.CATALOGUE,),  # so is a level
    Resource.CARTS: (Resource.CATALOGUE, Resource.CUSTOMERS),  # so are a line, and a person
    Resource.PROMOTIONS: (Resource.CATALOGUE, Resource.CUSTOMERS),
}
"""What channels must share before they share this."""


def kind_of(channel: Channel, resource: Resource, every: Collection[Channel]) -> MoveKind:
    """A channel alone in its pool can join, one that shares can leave."""
    return MoveKind.LEAVE if others_in(channel, resource, every) else MoveKind.JOIN


def others_in(channel: Channel, resource: Resource, every: Collection[Channel]) -> list[Channel]:
    """The other channels in a channel's pool."""
    pool = channel.pools[resource]
    return [each for each in every if each.id != channel.id and each.pools[resource] == pool]


def target_of(channel: Channel, resource: Resource, every: Collection[Channel]) -> Channel | None:
    """A channel of the pool that most share; of equals the one that is first by code. None: there is no other."""
    sizes: dict[UUID, int] = {}
    for each in every:
        sizes[each.pools[resource]] = sizes.get(each.pools[resource], 0) + 1
    others = [each for each in every if each.pools[resource] != channel.pools[resource]]
    return min(others, key=lambda each: (-sizes[each.pools[resource]], each.code), default=None)


def missing(
    kind: MoveKind, channel: Channel, resource: Resource, target: Channel | None, every: Collection[Channel]
) -> Sequence[Resource]:
    """What is to be shared first, or of a leave what is to be left first."""
    if kind is MoveKind.JOIN:
        assert target is not None
        return [need for need in NEEDS.get(resource, ()) if channel.pools[need] != target.pools[need]]
    return [other for other, needs in NEEDS.items() if resource in needs and others_in(channel, other, every)]


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """What stands in the way first, then what to know."""
    rank = {level: place for place, level in enumerate((Level.BLOCKING, Level.WARNING, Level.INFO))}
    return sorted(findings, key=lambda each: rank[each.level])
