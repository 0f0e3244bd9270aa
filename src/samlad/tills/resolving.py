"""What a manager does with a sale that needs a look: it was right, it becomes an order as it is, or it is written off."""

from uuid import UUID

import msgspec

from samlad import carts, catalog, channels, orders, stock
from samlad.access import audit
from samlad.kernel import cards, log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.tills import acts, events, journal, lots, rules, store
from samlad.tills.desk import Desk
from samlad.tills.model import Entry, KeptSale, NameGoodsInput, NotToResolve, Sale, SaleState, WriteOffInput
from samlad.tills.permissions import RESOLVE


async def get(reader: Reader, sale_id: UUID) -> KeptSale:
    """A sale with what was sent.

    Raises:
        NotFound: there is none.
    """
    found = await store.read(reader, sale_id)
    if found is None:
        raise NotFound("There is no such sale.")
    return found


async def settle(tx: Tx, sale_id: UUID, *, version: int | None = None) -> KeptSale:
    """It is right as it is: one that waits becomes an order with everything as it was sold; of one that is an order it is
    said that somebody has looked. Said twice it is the same.

    Raises:
        NotToResolve: it was written off. InvalidInput: it cannot be read, so that nobody knows what was sold.
    """
    found = await _taken(tx, sale_id, version)
    is_done = found.state in (SaleState.ORDERED, SaleState.DONE)
    if found.resolution in ("seen", "settled") and is_done:
        return found
    if is_done:
        return await _resolved(tx, found, "seen")
    if found.state is not SaleState.KEPT:
        raise NotToResolve(f"It is {found.state}.", state=found.state)
    sale = rules.read(found.body)
    if isinstance(sale, str):
        raise InvalidInput(
            f"What was sold cannot be read ({sale}): ring it up by hand if it was a sale, then write this off."
        )
    desk = Desk(await channels.get(tx, found.channel_id), await stock.location(tx, found.location))
    if not isinstance(sale, Sale):
        await _do(tx, desk, found, sale)
        return await _resolved(tx, found, "settled")
    sale = await journal.called_now(tx, desk, sale)
    objections = await journal.objections_to(tx, desk, sale_id, sale)
    if any(each.code == "currency" for each in objections):
        raise InvalidInput(
            f"The store sells in {desk.channel.currency}: ring it up by hand, then write this off."
        )
    kept = [each for each in found.objections if each.code not in {new.code for new in objections}]
    order_id = new_id()
    has_cart = sale.cart is not None and await carts.take_for(tx, sale.cart, order_id)
    await journal.make_order(tx, desk, sale_id, sale, [*kept, *objections], order_id, has_cart=has_cart)
    return await _resolved(tx, found, "settled")


async def _do(tx: Tx, desk: Desk, found: KeptSale, entry: Entry) -> None:
    """What did not go then, and does now.

    Raises:
        NotToResolve: it does not go yet.
    """
    try:
        odd = await journal.odd_about(tx, desk, found.id, entry)
        before = [*found.objections, *(each for each in odd if each not in found.objections)]
        await journal.do_act(tx, desk, found.id, entry, before)
    except acts.NotDone as refused:
        said = refused.objection.there or refused.objection.code
        raise NotToResolve(f"It does not go yet: {said}", state=found.state) from refused


async def name_goods(tx: Tx, sale_id: UUID, data: NameGoodsInput, *, version: int | None = None) -> KeptSale:
    """Say which variant a line was that nobody knew: its order names it from now on, and it is out of stock. The sale still waits to
    be looked at, if it did. Said twice it is the same.

    Raises:
        NotToResolve: it is no order (yet). InvalidInput, WrongState: as `samlad.orders.name_goods` says.
    """
    found = await _taken(tx, sale_id, version)
    if found.order_id is None:
        raise NotToResolve(f"It is {found.state}.", state=found.state)
    if data.line not in found.unknown_lines:
        raise InvalidInput.at("line", "there is no such line of goods")
    sold = orders.as_sold((await orders.read(tx, found.order_id)).lines)
    position = sold[data.line - 1][0][0]
    sale = rules.read(found.body)
    scanned = sale.lines[data.line - 1] if isinstance(sale, Sale) else None
    of_it = [] if scanned is None else lots.named(scanned.variant, scanned.lots)
    named, odd = await orders.name_goods(tx, found.order_id, position, data.code, of_it)
    line = next(each for each in named.lines if each.position == position)
    assert line.variant is not None, "it was named"
    what = line.set_of.variant if line.set_of else line.variant
    sku = (await catalog.by_ids(tx, [what]))[what].sku
    objections = [
        msgspec.structs.replace(each, here=sku)
        if (each.code, each.line) == ("unknown-goods", data.line)
        else each
        for each in found.objections
    ]
    odd_lots = await lots.objections(tx, odd, [])
    objections += [msgspec.structs.replace(each, line=data.line) for each in odd_lots]
    await store.note(tx, sale_id, objections)
    return await get(tx, sale_id)


async def write_off(tx: Tx, sale_id: UUID, data: WriteOffInput, *, version: int | None = None) -> KeptSale:
    """It will be no order, and why. It stays here with everything that was sent, but nobody was written down.

    Raises:
        NotToResolve: it is an order, which is cancelled or taken back like any other.
    """
    cards.refuse(data.reason, "reason")
    found = await _taken(tx, sale_id, version)
    if found.state is SaleState.WRITTEN_OFF:
        return found
    if found.state is not SaleState.KEPT:
        raise NotToResolve(f"It is {found.state}.", state=found.state)
    return await _resolved(tx, found, "written_off", data.reason)


async def _taken(tx: Tx, sale_id: UUID, version: int | None) -> KeptSale:
    found = await store.lock(tx, sale_id)
    if found is None:
        tx.actor.require(RESOLVE)
        raise NotFound("There is no such sale.")
    tx.actor.require(RESOLVE, location=found.location)
    check_version(version, found.version)
    return found


async def _resolved(tx: Tx, before: KeptSale, resolution: str, reason: str = "") -> KeptSale:
    await store.resolve(tx, before.id, resolution, reason)
    after = await get(tx, before.id)
    fact = events.SaleResolved(
        location=after.location,
        reference=after.reference,
        resolution=resolution,
        order=after.order_id,
        reason=reason,
    )
    log.append(tx, fact, subject=after.id, channel=after.channel_id)
    audit.record(
        tx,
        "till-sale.resolved",
        "till-sale",
        after.id,
        before=msgspec.to_builtins({"state": before.state}),
        after={"resolution": resolution, "reason": reason, "order": after.order_id},
    )
    return after
