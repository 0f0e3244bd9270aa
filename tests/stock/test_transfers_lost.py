"""Units that are lost on the way: written off at what they were worth, expected no more, and found again."""

from uuid import UUID

import pytest
from stock_shop import Shop, books_are_right
from test_transfers_expected import incoming, send

from samlad import stock
from samlad.kernel import checks
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict, InvalidInput, Outdated
from samlad.stock import HoldKind, transfers
from samlad.stock.checks import CHECKS
from samlad.stock.model import Transfer, TransferStatus
from samlad.stock.service import revalue

EURO = 1_000_000
"""In ten-thousandths of a cent."""


async def lose(
    shop: Shop, transfer: Transfer, *lines: tuple[UUID, int], version: int | None = None
) -> Transfer:
    return await shop.db.transaction(
        lambda tx: transfers.lose(
            tx, transfer.id, lines or None, reason="fell off the lorry", version=version
        )
    )


async def find(shop: Shop, transfer: Transfer, *lines: tuple[UUID, int]) -> Transfer:
    return await shop.db.transaction(lambda tx: transfers.find(tx, transfer.id, lines or None))


async def doctor_is_content(shop: Shop) -> None:
    await books_are_right(shop.db)
    found = await checks.run(shop.db, CHECKS)
    assert {each.status for each in found} == {"ok"}, found


async def worth(shop: Shop, kettle: UUID) -> int:
    found: int = await shop.db.value(
        "SELECT value_e4 FROM level WHERE variant = $1 AND location = $2", kettle, shop.at_lund.id
    )
    return found


async def dear_and_cheap(shop: Shop) -> UUID:
    """Nine pieces of 5.00 in the warehouse, two of 1.00 in Lund."""
    (kettle,) = await shop.variants(9)
    await shop.receive(kettle, 2, shop.at_lund)

    async def work(tx: Tx) -> None:
        await revalue(tx, shop.warehouse.id, [(kettle, 5 * EURO)], reason="as bought")
        await revalue(tx, shop.at_lund.id, [(kettle, EURO)], reason="as bought")

    await shop.db.transaction(work)
    return kettle


async def test_what_is_lost_is_written_off_at_what_it_was_worth(shop: Shop) -> None:
    kettle = await dear_and_cheap(shop)
    transfer = await send(shop, kettle, 5)
    part = await lose(shop, transfer, (kettle, 2))
    assert (part.status, part.lines[0].lost, part.lines[0].under_way) == (TransferStatus.IN_TRANSIT, 2, 3)
    assert (await incoming(shop, kettle), await shop.level(kettle, shop.at_lund)) == (3, (2, 0))
    assert await worth(shop, kettle) == 2 * EURO, "the average of what lies there stays"
    rows = await shop.db.rows(
        "SELECT cause, quantity, value_e4, reason FROM movement WHERE reference = $1 AND cause = 'loss'",
        transfer.id,
    )
    assert [tuple(row) for row in rows] == [("loss", -2, -10 * EURO, "fell off the lorry")]
    done = await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id))
    assert (done.status, done.lines[0].received) == (TransferStatus.RECEIVED, 3)
    assert await worth(shop, kettle) == 17 * EURO
    await doctor_is_content(shop)


async def test_all_of_it_is_lost_and_then_found(shop: Shop) -> None:
    kettle = await dear_and_cheap(shop)
    transfer = await send(shop, kettle, 5)
    gone = await lose(shop, transfer)
    assert (gone.status, await incoming(shop, kettle)) == (TransferStatus.LOST, 0)
    with pytest.raises(Conflict):
        await lose(shop, transfer)
    with pytest.raises(Conflict):
        await find(shop, transfer, (kettle, 6))
    back = await find(shop, transfer, (kettle, 4))
    assert (back.status, back.lines[0].lost, await incoming(shop, kettle)) == (
        TransferStatus.IN_TRANSIT,
        1,
        4,
    )
    await find(shop, transfer)
    assert await shop.db.value("SELECT sum(value_e4) FROM movement WHERE cause = 'loss'") == 0
    with pytest.raises(Conflict):
        await find(shop, transfer)
    await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id))
    assert (await shop.level(kettle, shop.at_lund), await worth(shop, kettle)) == ((7, 0), 27 * EURO)
    await doctor_is_content(shop)


async def test_who_counted_on_it_loses_the_hold(shop: Shop) -> None:
    (kettle,) = await shop.variants(3)
    transfer = await send(shop, kettle, 3)
    await shop.db.transaction(lambda tx: stock.set_level(tx, shop.at_lund.id, kettle, sells_incoming=True))
    (hold,) = await shop.take((kettle, 2), kind=HoldKind.ORDER)
    await lose(shop, transfer, (kettle, 2))
    assert sum(each.quantity for each in await stock.holds_of(shop.db, hold.owner)) == 1
    await doctor_is_content(shop)


async def test_what_is_refused(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    transfer = await send(shop, kettle, 3)
    with pytest.raises(Conflict):
        await lose(shop, transfer, (kettle, 4))
    with pytest.raises(InvalidInput):
        await lose(shop, transfer, (kettle, 0))
    await shop.db.transaction(lambda tx: transfers.receive(tx, transfer.id, [(kettle, 1)]))
    with pytest.raises(Outdated):
        await lose(shop, transfer, version=transfer.version)
    await lose(shop, transfer, (kettle, 1))
    await shop.db.transaction(lambda tx: transfers.cancel(tx, transfer.id))
    assert (await shop.level(kettle), await shop.level(kettle, shop.at_lund)) == ((3, 0), (1, 0))
    with pytest.raises(Conflict):
        await find(shop, transfer)
    await doctor_is_content(shop)


async def test_the_doctor_names_a_transfer_that_its_movements_deny(shop: Shop) -> None:
    (kettle,) = await shop.variants(5)
    transfer = await send(shop, kettle, 3)
    await shop.db.rows(
        "UPDATE stock_transfer_line SET lost = 1 WHERE transfer = $1 RETURNING transfer", transfer.id
    )
    found = {each.name: each for each in await checks.run(shop.db, CHECKS)}["stock-transfers"]
    assert (found.status, str(transfer.id) in found.message) == ("failed", True)
