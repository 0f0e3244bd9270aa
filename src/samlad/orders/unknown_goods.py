"""Goods that nobody knew when a till sold them: somebody says afterwards which variant it was, and the stock is right again."""

from typing import TypeGuard
from uuid import UUID

import msgspec

from samlad import catalog, channels, stock
from samlad.access import audit
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import change_stock, order_page, return_reasons, store
from samlad.orders import change_store as rows
from samlad.orders.change_model import ClaimAction, ExchangeAction, ReturnAction
from samlad.orders.change_planned import BackUnit
from samlad.orders.events import OrderGoodsNamed
from samlad.orders.happened import FOUND
from samlad.orders.model import LineKind, Order, OrderHead, OrderKind, OrderLine, WrongState
from samlad.stock.scanning import read


async def name_goods(tx: Tx, order_id: UUID, position: int, code: str) -> Order:
    """Say by SKU, GTIN or a scanned code which variant a line of an order was. It leaves the stock of the place where it was sold;
    what was paid, and what the receipt says, stays. What came back of it meanwhile is in stock again where it came in, or put aside or
    thrown away, as was said of it then. Said twice it is the same.

    Part of the verbs of tills, whose permissions guard it.

    Raises:
        NotFound: there is no such order.
        InvalidInput: no such line of goods, nothing with this code, a set, or something that is sold by another measure.
        WrongState: it is another variant already, was called off, or nobody knows what became of what came back.
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
    ref = await catalog.variant_by_code(tx, channel.pools[Resource.CATALOGUE], read(code).code)
    if ref is None:
        raise InvalidInput.at("code", "nothing has this code")
    if line.variant == ref.id:
        return await order_page.read(tx, order_id)
    if line.variant is not None:
        raise WrongState("Somebody has said what it was already.", state=head.status)
    came_back = await _came_back(tx, head, line, channel, ref.id)
    if line.cancelled or sum(unit.quantity for _by, unit in came_back) != line.returned:
        raise WrongState("A part of it came back: correct the stock by hand.", state=head.status)
    sold = (await catalog.sellables(tx, channel, [ref.id])).get(ref.id)
    if sold is None or sold.parts:
        raise InvalidInput.at("code", "this is a set; correct the stock of its parts by hand")
    if sold.sold_by is not line.sold_by:
        raise InvalidInput.at("code", "this is sold by another measure")
    await store.update(tx, order_id, {"status": head.status})  # another version
    await store.replace_line(tx, order_id, msgspec.structs.replace(line, variant=ref.id))
    await stock.sell(
        tx,
        head.location,
        [(ref.id, line.fulfilled)],
        lease=order_id,
        reference=order_id,
        reason=f"{FOUND}: {head.number}",
    )
    for by, unit in came_back:
        await change_stock.put_back(tx, head, [unit], by)
        await store.name_returned(tx, by, line, unit.quantity, ref.id)
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
    return await order_page.read(tx, order_id)


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
