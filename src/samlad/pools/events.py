"""What happens between pools."""

from uuid import UUID

from samlad.channels import Resource
from samlad.channels.pooling import MoveKind
from samlad.kernel.log import Fact, declare


@declare("pool.move-begun")
class PoolMoveBegun(Fact, frozen=True):
    """Somebody lets a channel join or leave; ``shared`` is the pool of the others."""

    move: UUID
    resource: Resource
    kind: MoveKind
    home: UUID
    shared: UUID


@declare("pool.switched")
class PoolSwitched(Fact, frozen=True):
    """From this moment the channel uses another pool of the resource. What it had follows."""

    move: UUID
    resource: Resource
    kind: MoveKind
    old: UUID
    new: UUID


@declare("pool.moved")
class PoolMoved(Fact, frozen=True):
    """The move is over: everything is in its place."""

    move: UUID
    resource: Resource
    kind: MoveKind
    old: UUID
    new: UUID
    rows: int
