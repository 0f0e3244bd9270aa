"""Goods that nobody knew when a till sold them: somebody says afterwards which variant it was, and the stock is right again."""

from uuid import UUID

import msgspec

from samlad import catalog, channels, stock
from samlad.access import audit
from samlad.channels import Resource
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import order_page, store
from samlad.orders.events import OrderGoodsNamed
from samlad.orders.happened import FOUND
from samlad.orders.model import LineKind, Order, OrderKind, WrongState
from samlad.stock.scanning import read


async def name_goods(tx: Tx, order_id: UUID, position: int, code: str) -> Order:
    """Say by SKU, GTIN or a scanned code which variant a line of an order was. It leaves the stock of the place where it was sold;
    what was paid, and what the receipt says, stays. Said twice it is the same.

    Part of the verbs of tills, whose permissions guard it.

    Raises:
        NotFound: there is no such order.
        InvalidInput: no such line of goods, nothing with this code, a set, or something that is sold by another measure.
        WrongState: it is another variant already, or a part of it came back.
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
    if line.returned or line.cancelled:
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
