"""Announce a return before its goods come."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import msgspec

from samlad import channels
from samlad.channels import Channel, Resource
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import FieldError, InvalidInput, NotFound
from samlad.orders import change_facts, return_claim, return_reasons, return_store, rules, store
from samlad.orders.change_model import ChangeInput
from samlad.orders.events import ReturnRequested
from samlad.orders.model import OrderHead
from samlad.orders.permissions import CHANGE
from samlad.orders.return_model import AnnouncedLine, AnnounceInput, Request
from samlad.stock import reach


async def announce(tx: Tx, data: AnnounceInput) -> Request:
    """Give a return a number under which its goods will come. Any staff of the shop may; nothing moves yet.

    Raises:
        NotFound: no such order. WrongState: it cannot be changed.
        InvalidInput: a line that is not out, more of it than is out and not announced, or an unknown reason.
    """
    tx.actor.require(CHANGE)
    cards.refuse([data.note, *data.photos], "note")
    found = await store.lock(tx, data.order)
    if found is None:
        raise NotFound("There is no such order.")
    head, lines = found
    await reach.require(tx, Resource.ORDERS, head.pool)
    change_facts.check_state(head)
    known = await return_reasons.reasons(tx, head.pool)
    coming = await return_store.announced(tx, head.id)
    out = rules.returnable(lines)
    errors, seen = [], set()
    for index, line in enumerate(data.lines):
        possible = out.get(line.position, 0) - coming.get(line.position, 0)
        if line.position in seen:
            errors.append(FieldError(f"lines/{index}/position", "is named twice"))
        elif line.quantity > possible:
            errors.append(FieldError(f"lines/{index}/quantity", f"at most {max(0, possible)}"))
        if line.reason not in known or not known[line.reason].is_active:
            errors.append(FieldError(f"lines/{index}/reason", f"one of {', '.join(known)}"))
        seen.add(line.position)
    if errors:
        raise InvalidInput("Some lines are not right.", errors=tuple(errors))
    channel = await channels.cached(tx, head.channel)
    return await _insert(tx, head, channel, data.lines, note=data.note, photos=data.photos)


async def announce_exchange(
    tx: Tx,
    head: OrderHead,
    channel: Channel,
    follows: Mapping[int, tuple[int, str]],
    data: ChangeInput,
    exchange: UUID | None,
) -> UUID:
    """Expect goods (position: quantity and reason) whose exchange has gone out already; the id of the announced return."""
    lines = [
        AnnouncedLine(position=p, quantity=q, reason=reason) for p, (q, reason) in sorted(follows.items())
    ]
    agreed = return_claim.agreed_columns(tx, channel, data.if_not_back)
    made = await _insert(
        tx, head, channel, lines, note=data.note, photos=data.photos, exchange=exchange, agreed=agreed
    )
    return made.id


async def _insert(
    tx: Tx,
    head: OrderHead,
    channel: Channel,
    lines: list[AnnouncedLine],
    *,
    note: str,
    photos: list[str],
    exchange: UUID | None = None,
    agreed: tuple[str | None, bytes | None] = (None, None),
) -> Request:
    request = new_id()
    due_on = local_day(now(), channel.time_zone) + timedelta(days=channel.setting("exchange_days"))
    number = await return_store.insert(
        tx,
        request,
        head.id,
        lines,
        due_on=due_on,
        exchange=exchange,
        note=note,
        photos=photos,
        agreed=agreed,
    )
    fact = ReturnRequested(
        number=number,
        request=request,
        order_number=head.number,
        due_on=due_on,
        lines=[msgspec.to_builtins(line) for line in lines],
        exchange=exchange,
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    made = await return_store.read(tx, request)
    assert made is not None
    return made
