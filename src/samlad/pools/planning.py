"""What joining or leaving would do, before anybody does it."""

from collections.abc import Sequence

import msgspec

from samlad import channels
from samlad.channels import Channel, Resource
from samlad.channels.pooling import Example, Finding, Level, Move, MoveKind
from samlad.kernel.database import Reader
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.pools import registry, rules, store
from samlad.pools.model import Plan


async def plan(
    reader: Reader, channel: Channel, resource: Resource, to: str | None = None, *, keeps_own: bool = False
) -> Plan:
    """What it would do to a channel to join others (``to``: the code of one of them), or to leave those it shares with.

    ``keeps_own``: where both have a price or a text for the same goods, the channel would keep its own; of a leave, the prices
    or collections that its shoppers see. Which of both follows from whether it shares the resource now. Where something else is to be shared first, that stands in the way, and
    the rest is said as it would be by then. Reads every row once; nothing is written.

    Raises:
        InvalidInput: there is nobody to join, or the channel is to join itself.
        NotFound: there is no channel ``to``.
        Conflict: it shares with others, and those are not whom it is to join: let it leave first.
    """
    every = await channels.all_channels(reader)
    channel = next(each for each in every if each.id == channel.id)
    kind = rules.kind_of(channel, resource, every)
    target = await _target(reader, channel, resource, to, kind, every)
    move = msgspec.structs.replace(await _move(reader, channel, resource, kind, target), keeps_own=keeps_own)
    needs = rules.missing(kind, channel, resource, target, every)
    if kind is MoveKind.JOIN and target is not None:
        move = _apart(move, channel, target, needs)
    findings = [_first(kind, need) for need in needs]
    for look in registry.looks(resource):
        findings += await look(reader, move)
    return Plan(
        channel=channel.code,
        resource=resource,
        kind=kind,
        to=sorted(
            each.code for each in every if each.id != channel.id and each.pools[resource] == move.shared
        ),
        home=move.home,
        shared=move.shared,
        joined=move.joined,
        findings=rules.ordered(findings),
        rows=sum(each.count for each in findings if each.is_moved),
        is_ready=all(each.level is not Level.BLOCKING for each in findings),
    )


async def plan_of_whom(
    reader: Reader, channel: Channel, resource: Resource, to: str | None = None
) -> tuple[MoveKind, Channel | None]:
    """Whether a channel would join or leave, and a channel of the pool that it would join; raises as `plan`."""
    every = await channels.all_channels(reader)
    kind = rules.kind_of(channel, resource, every)
    return kind, await _target(reader, channel, resource, to, kind, every)


async def _move(
    reader: Reader, channel: Channel, resource: Resource, kind: MoveKind, target: Channel | None
) -> Move:
    """From which pool to which; a leave goes back to where the channel joined from."""
    here = channel.pools[resource]
    if kind is MoveKind.JOIN:
        assert target is not None
        there = target.pools[resource]
        return Move(id=None, channel=channel.id, resource=resource, kind=kind, home=here, shared=there)
    last = await store.latest(reader, channel.id, resource)
    came = last if last is not None and last.kind is MoveKind.JOIN and last.shared == here else None
    return Move(
        id=None,
        channel=channel.id,
        resource=resource,
        kind=kind,
        home=None if came is None else came.home,
        shared=here,
        joined=None if came is None else came.id,
    )


def _apart(move: Move, channel: Channel, target: Channel, needs: Sequence[Resource]) -> Move:
    """Say of a join which goods and people would be the same by then, where those are to be shared first."""
    goods, people = (
        (channel.pools[need], target.pools[need]) if need in needs else None
        for need in (Resource.CATALOGUE, Resource.CUSTOMERS)
    )
    return msgspec.structs.replace(move, goods=goods, people=people)


async def _target(
    reader: Reader,
    channel: Channel,
    resource: Resource,
    to: str | None,
    kind: MoveKind,
    every: Sequence[Channel],
) -> Channel | None:
    if to is None:
        target = rules.target_of(channel, resource, every)
        if target is None and kind is MoveKind.JOIN:
            raise InvalidInput.at("to", "there is no other channel to join")
        return target
    target = await channels.by_code(reader, to)
    if target.id == channel.id:
        raise InvalidInput.at("to", "a channel cannot join itself")
    if kind is MoveKind.LEAVE and target.pools[resource] != channel.pools[resource]:
        raise Conflict(f"“{channel.code}” shares its {resource} with others: let it leave them first.")
    return target


_TEXTS = {
    MoveKind.JOIN: (
        marked("Something else is to be shared first"),
        marked("Join it first; this hangs on it."),
    ),
    MoveKind.LEAVE: (
        marked("Something else is to be left first"),
        marked("Leave it first; it hangs on this."),
    ),
}


def _first(kind: MoveKind, need: Resource) -> Finding:
    text, advice = _TEXTS[kind]
    return Finding(
        code=f"{'needs' if kind is MoveKind.JOIN else 'needed-by'}-{need}",
        level=Level.BLOCKING,
        text=text,
        advice=advice,
        count=1,
        examples=[Example(label=str(need))],
    )
