"""Goods that nobody knew when a till sold them: somebody says afterwards which variant it was, and the stock is right again."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeGuard
from uuid import UUID

import msgspec

from samlad import catalog, channels, stock
from samlad.access import audit
from samlad.catalog import Sellable
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import change_stock, order_page, return_reasons, rules, sets, store
from samlad.orders import change_store as rows
from samlad.orders.change_model import ClaimAction, ExchangeAction, ReturnAction
from samlad.orders.change_planned import BackUnit
from samlad.orders.events import OrderGoodsNamed
from samlad.orders.happened import FOUND
from samlad.orders.model import LineKind, Order, OrderHead, OrderKind, OrderLine, WrongState
from samlad.stock.lots_model import Named, OddLot
from samlad.stock.scanning import read


async def name_goods(
    tx: Tx, order_id: UUID, position: int, code: str, lots: Sequence[Named] = ()
) -> tuple[Order, Sequence[OddLot]]:
    """Say by SKU, GTIN or a scanned code which variant a line of an order was. It leaves the stock of the place where it was sold;
    what was paid, and what the receipt says, stays. What came back of it meanwhile is in stock again where it came in, or put aside or
    thrown away, as was said of it then. A set is its parts from then on, which left. Said twice it is the same.

    ``lots`` were scanned, of whatever variant it is; else the ``code`` may say which. Beside the order: what is odd about them.

    Part of the verbs of tills, whose permissions guard it.

    Raises:
        NotFound: there is no such order.
        InvalidInput: no such line of goods, nothing with this code, or something that is sold by another measure.
        WrongState: it is another variant already, was called off, or nobody knows what became of what came back; something of
            a set came back.
    """
    found = await store.lock(tx, order_id)
    if found is None:
        raise NotFound("There is no such order.")
    head, lines = found
    line = next((each for each in lines if each.position == position), None)
    if (
        line is None
        or line.kind is not LineKind.ITEM
        or head.kind is not OrderKind.SALE
        or head.location is None
    ):
        raise InvalidInput.at("line", "there is no such line of goods")
    channel = await channels.cached(tx, head.channel)
    scan = read(code)
    ref = await catalog.variant_by_code(tx, channel.pools[Resource.CATALOGUE], scan.code)
    if ref is None:
        raise InvalidInput.at("code", "nothing has this code")
    if ref.id == (line.set_of.variant if line.set_of else line.variant):
        return await order_page.read(tx, order_id), ()
    if line.variant is not None:
        raise WrongState("Somebody has said what it was already.", state=head.status)
    sold = (await catalog.sellables(tx, channel, [ref.id])).get(ref.id)
    if sold is None:
        raise InvalidInput.at("code", "nothing has this code")
    if sold.sold_by is not line.sold_by:
        raise InvalidInput.at("code", "this is sold by another measure")
    await store.update(tx, order_id, {"status": head.status})  # another version
    odd: Sequence[OddLot] = ()
    if sold.parts:
        await _name_set(tx, head, lines, line, sold)
    else:
        of_code = [Named(ref.id, line.fulfilled, scan.lot, scan.expires_on, scan.serial, is_scanned=True)]
        odd = await _name_one(tx, head, line, channel, ref.id, lots or of_code)
    fact = OrderGoodsNamed(
        number=head.number, position=position, variant=ref.id, sku=ref.sku, quantity=line.fulfilled
    )
    log.append(tx, fact, subject=order_id, channel=head.channel, profile=head.customer)
    audit.record(
        tx,
        "order.goods-named",
        "order",
        order_id,
        before={"position": position, "title": line.title},
        after={"sku": ref.sku},
    )
    return await order_page.read(tx, order_id), odd


async def _name_one(
    tx: Tx, head: OrderHead, line: OrderLine, channel: Channel, variant: UUID, lots: Sequence[Named]
) -> Sequence[OddLot]:
    came_back = await _came_back(tx, head, line, channel, variant)
    if line.cancelled or sum(unit.quantity for _by, unit in came_back) != line.returned:
        raise WrongState("A part of it came back: correct the stock by hand.", state=head.status)
    await store.replace_line(tx, head.id, msgspec.structs.replace(line, variant=variant))
    these = [msgspec.structs.replace(each, variant=variant) for each in lots]
    odd = await _leave(tx, head, [(variant, line.fulfilled)], these)
    for by, unit in came_back:
        await change_stock.put_back(tx, head, [unit], by)
        await store.name_returned(tx, by, line, unit.quantity, variant)
    return odd


async def _name_set(
    tx: Tx, head: OrderHead, lines: Sequence[OrderLine], line: OrderLine, sold: Sellable
) -> None:
    """The line becomes those of the set's parts; they come to what was paid and to its tax, at its rate."""
    if line.cancelled or line.returned or line.concessions:
        raise WrongState("A part of it came back: correct the stock by hand.", state=head.status)
    first, *others = parts = sets.named(line, sold, max(each.position for each in lines) + 1)
    await store.replace_line(tx, head.id, first)
    for part in others:
        await store.insert_line(tx, head.id, part)
    await store.change_items(tx, head.id, rules.goods_of(parts) - rules.goods_of([line]))
    units: Counter[UUID] = Counter()
    for part in parts:
        assert part.variant is not None
        units[part.variant] += part.fulfilled
    await _leave(tx, head, sorted(units.items()))


async def _leave(
    tx: Tx, head: OrderHead, goods: Sequence[tuple[UUID, int]], lots: Sequence[Named] = ()
) -> Sequence[OddLot]:
    """Goods (variant, units) are out of the stock of the place where they were sold, whatever the books say."""
    assert head.location is not None
    reason = f"{FOUND}: {head.number}"
    sold = await stock.sell(
        tx,
        head.location,
        goods,
        lease=head.id,
        reference=head.id,
        reason=reason,
        happened_at=head.placed_at,
        named=lots,
    )
    return sold.odd


async def _came_back(
    tx: Tx, head: OrderHead, line: OrderLine, channel: Channel, variant: UUID
) -> list[tuple[UUID, BackUnit]]:
    """Units of a line that came back while nobody knew what they were: the return that says so, and what becomes of them."""
    if not line.returned:
        return []
    reasons = await return_reasons.reasons(tx, head.pool)
    found = []
    for back in await rows.backs_of(tx, head.id):
        for action in back.actions:
            if not _is_back(action, line.position):
                continue
            what = return_reasons.disposition(
                reasons.get(action.reason), action.condition, getattr(action, "restock", None), channel
            )
            unit = BackUnit(
                position=line.position,
                variant=variant,
                sku=line.sku,
                quantity=action.quantity,
                disposition=what,
                location=getattr(action, "location", None) or back.location,
                why=f"{action.reason}, {action.condition}" if action.condition else action.reason,
            )
            found.append((back.came_back, unit))
    return found


def _is_back(action: object, position: int) -> TypeGuard[ReturnAction | ExchangeAction | ClaimAction]:
    """Whether goods of a line came back by an action at once."""
    match action:
        case ReturnAction():
            return action.position == position
        case ExchangeAction():
            return action.position == position and not action.instant
        case ClaimAction():
            return action.position == position and action.goods_back
    return False
