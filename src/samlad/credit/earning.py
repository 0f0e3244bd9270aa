"""How points come and go by themselves: earned on payment, taken back on return, released, expired.

All of it follows the log or the clock. What an order earns is fixed when it first does; from then on `settle` brings
what is booked in line with what is kept of the goods, so that it may be called as often as one likes.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from samlad import customers
from samlad.credit import book, codes, events, loyalty_store, rules
from samlad.credit.book import Leg
from samlad.credit.loyalty_store import KnownOrder, Lot
from samlad.credit.model import POINTS_UNIT, AccountKind, Member, Programme
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id

SWEEP = 200

Verb = Callable[[Tx, Lot, datetime], Awaitable[bool]]


def period_start(programme: Programme, moment: datetime) -> datetime:
    """Since when points count for tiers."""
    return _months_later(moment, -programme.period_months)


def _months_later(moment: datetime, months: int) -> datetime:
    day = rules.add_months(moment.astimezone(UTC).date(), months)
    return datetime.combine(day, time(moment.hour, moment.minute, moment.second, tzinfo=UTC))


async def join(tx: Tx, customer: UUID, pool: UUID) -> Member:
    """Make somebody a member, unless they are."""
    if await loyalty_store.add_member(tx, customer, pool, codes.new_member_code()):
        log.append(tx, events.LoyaltyJoined(pool=pool), subject=customer, profile=customer)
    member = await loyalty_store.member(tx, customer)
    assert member is not None
    return member


async def settle(tx: Tx, order_id: UUID) -> None:
    """Bring the points of an order in line with what the log has told of it."""
    order = await loyalty_store.lock_order(tx, order_id)
    if order is None or order.goods is None or order.customer is None:
        return
    added = await loyalty_store.count_more(tx, order.id) if order.is_paid and order.unpaid else 0
    if added:
        await _earn_more(tx, order, order.customer, order.goods, added)
        await settle(tx, order_id)
        return
    if order.points is None:
        await _earn(tx, order, order.customer, order.goods)
        return
    target = 0 if order.is_cancelled else rules.kept(order.points, order.goods, _gone(order))
    if target < order.kept:
        await loyalty_store.set_kept(tx, order.id, target)
        await _take_back(tx, order, order.customer, target)
    elif target > order.kept:
        await _give(tx, order, order.customer, target)


def _gone(order: KnownOrder) -> int:
    """What came back of the goods that were paid for: of what was added and not paid nothing was earned."""
    return max(0, order.returned - order.unpaid)


async def _programme_of(tx: Tx, customer: UUID) -> Programme | None:
    """The programme by which somebody earns."""
    person = await customers.get(tx, customer)
    return None if person is None else await loyalty_store.programme(tx, person.pool)


async def _earn_more(tx: Tx, order: KnownOrder, customer: UUID, goods: int, added: int) -> None:
    """What was added to an order that has earned earns as much as it would have made that order earn more, by the rates of now."""
    programme = await _programme_of(tx, customer)
    if order.points is None or order.currency is None or programme is None or not programme.is_active:
        return
    before, after = [
        rules.base_points(each, order.currency, programme.rates) for each in (goods, goods + added)
    ]
    qualifying = await loyalty_store.qualifying(tx, customer, period_start(programme, now()))
    tier = rules.tier_of(qualifying, programme.tiers)
    await loyalty_store.add_earned(tx, order.id, after - before, rules.multiplied(after - before, tier))


async def _give(tx: Tx, order: KnownOrder, customer: UUID, target: int) -> None:
    """Book what an order earns beyond what is booked: something was added to it and paid."""
    programme = await _programme_of(tx, customer)
    if programme is not None:
        await loyalty_store.set_kept(tx, order.id, target)
        key = f"earn:{order.id}:{order.goods}:{order.returned}"
        await book.lock(tx, programme.pool, AccountKind.PENDING, POINTS_UNIT, customer)
        lot = await loyalty_store.pending_lot_of(tx, order.id)
        # Where the time of what it earned first is over, more is had at once.
        is_pending, more = lot is not None, target - order.kept
        await _book_earned(tx, programme, customer, order.id, more, key, is_pending=is_pending, onto=lot)


async def _earn(tx: Tx, order: KnownOrder, customer: UUID, goods: int) -> None:
    if not order.is_paid or order.is_cancelled or order.currency is None:
        return
    programme = await _programme_of(tx, customer)
    if programme is None or not programme.is_active:
        return
    if await loyalty_store.member(tx, customer) is None:
        # Who is a member as another customer earns here too, on this one's own account.
        if not programme.is_automatic and await loyalty_store.member_of(tx, customer) is None:
            return
        await join(tx, customer, programme.pool)
    moment = now()
    qualifying = await loyalty_store.qualifying(tx, customer, period_start(programme, moment))
    base = rules.base_points(goods, order.currency, programme.rates)
    points = rules.multiplied(base, rules.tier_of(qualifying, programme.tiers))
    kept = rules.kept(points, goods, _gone(order))
    await loyalty_store.set_earned(tx, order.id, base, points, kept, moment)
    if kept:
        is_pending = programme.pending_days > 0
        key = f"earn:{order.id}"
        await _book_earned(tx, programme, customer, order.id, kept, key, is_pending=is_pending)


async def _book_earned(
    tx: Tx,
    programme: Programme,
    customer: UUID,
    order: UUID,
    points: int,
    key: str,
    *,
    is_pending: bool,
    onto: Lot | None = None,
) -> None:
    """Points of an order become the customer's, at once or when the time for returns is over: as a lot, or in one that waits (``onto``)."""
    kind = AccountKind.PENDING if is_pending else AccountKind.POINTS
    before = await book.lock(tx, programme.pool, kind, POINTS_UNIT, customer)
    legs = [Leg(kind, points, POINTS_UNIT, customer), Leg(AccountKind.EARNED, -points, POINTS_UNIT)]
    if await book.post(tx, programme.pool, "earn", key, legs, reference=order):
        if onto is None:
            await keep_lot(tx, programme, customer, points, before, order, is_pending=is_pending)
        else:
            await loyalty_store.add_to_lot(tx, onto.id, points)
        fact = events.PointsEarned(points=points, balance=before + points, order=order, is_pending=is_pending)
        log.append(tx, fact, subject=customer, profile=customer)


async def keep_lot(
    tx: Tx,
    programme: Programme,
    customer: UUID,
    points: int,
    before: int,
    order: UUID | None,
    *,
    is_pending: bool = False,
) -> None:
    """Keep points as a lot. ``before`` is the balance before them: what is below zero is paid off first."""
    moment = now()
    lot = Lot(
        id=new_id(),
        customer=customer,
        order_id=order,
        points=points,
        open=points if is_pending else _left_after_debt(points, before),
        release_at=moment + timedelta(days=programme.pending_days) if is_pending else None,
        earned_at=moment,
        expires_at=_months_later(moment, programme.expire_months) if programme.expire_months else None,
    )
    await loyalty_store.add_lot(tx, lot)


def _left_after_debt(points: int, before: int) -> int:
    return points if before >= 0 else max(0, points + before)


async def _take_back(tx: Tx, order: KnownOrder, customer: UUID, target: int) -> None:
    """Take points of an order back until ``target`` are kept of it: pending ones of the order, else spendable ones; what was spent
    already leaves a debt. Those that have expired meanwhile are gone, and nobody loses them twice."""
    member = await loyalty_store.member(tx, customer)
    assert member is not None  # it has earned
    await book.lock(tx, member.pool, AccountKind.PENDING, POINTS_UNIT, customer)
    lot = await loyalty_store.pending_lot_of(tx, order.id)
    kind = AccountKind.POINTS if lot is None else AccountKind.PENDING
    balance = await book.lock(tx, member.pool, kind, POINTS_UNIT, customer) if lot is None else lot.open
    points = order.kept - target
    points -= min(points, rules.still_expired(order.kept, await loyalty_store.booked_of(tx, order.id)))
    if points == 0:
        return
    if lot is None:
        await loyalty_store.use(tx, customer, points, order.id)
    else:
        await loyalty_store.set_lot(tx, lot.id, lot.open - points, lot.release_at)
    legs = [Leg(kind, -points, POINTS_UNIT, customer), Leg(AccountKind.EARNED, points, POINTS_UNIT)]
    key = f"take-back:{order.id}:{order.goods}:{order.returned}:{target}"
    await book.post(tx, member.pool, "take_back", key, legs, reference=order.id)
    fact = events.PointsTakenBack(points=points, balance=balance - points, order=order.id)
    log.append(tx, fact, subject=customer, profile=customer)


async def sweep(database: Database) -> int:
    """Release points whose time for returns is over, then let those expire that nobody used; how many lots."""
    return await _each(database, "release_at", _release) + await _each(database, "expires_at", _expire)


async def _each(database: Database, column: str, verb: Verb) -> int:
    moment, total = now(), 0
    while True:
        found = await loyalty_store.due_lots(database, column, moment, SWEEP)
        done = 0
        for due in found:

            async def work(tx: Tx, lot: Lot = due) -> bool:
                return await verb(tx, lot, moment)

            done += await database.transaction(work)
        total += done
        if len(found) < SWEEP or done == 0:
            return total


async def _release(tx: Tx, due: Lot, moment: datetime) -> bool:
    member = await loyalty_store.member(tx, due.customer)
    assert member is not None
    await book.lock(tx, member.pool, AccountKind.PENDING, POINTS_UNIT, due.customer)
    before = await book.lock(tx, member.pool, AccountKind.POINTS, POINTS_UNIT, due.customer)
    lot = await loyalty_store.lock_lot(tx, due.id)
    if lot is None or lot.release_at is None or lot.release_at > moment:
        return False
    await loyalty_store.set_lot(tx, lot.id, _left_after_debt(lot.open, before), None)
    if lot.open:
        legs = [
            Leg(AccountKind.PENDING, -lot.open, POINTS_UNIT, lot.customer),
            Leg(AccountKind.POINTS, lot.open, POINTS_UNIT, lot.customer),
        ]
        await book.post(tx, member.pool, "release", f"release:{lot.id}", legs, reference=lot.order_id)
        fact = events.PointsReleased(points=lot.open, balance=before + lot.open)
        log.append(tx, fact, subject=lot.customer, profile=lot.customer)
    return True


async def _expire(tx: Tx, due: Lot, moment: datetime) -> bool:
    member = await loyalty_store.member(tx, due.customer)
    assert member is not None
    before = await book.lock(tx, member.pool, AccountKind.POINTS, POINTS_UNIT, due.customer)
    lot = await loyalty_store.lock_lot(tx, due.id)
    is_due = lot is not None and lot.open > 0 and lot.release_at is None
    if lot is None or not is_due or lot.expires_at is None or lot.expires_at > moment:
        return False
    await loyalty_store.set_lot(tx, lot.id, 0, None)
    legs = [
        Leg(AccountKind.POINTS, -lot.open, POINTS_UNIT, lot.customer),
        Leg(AccountKind.EXPIRED, lot.open, POINTS_UNIT),
    ]
    await book.post(tx, member.pool, "expire", f"expire:{lot.id}", legs, reference=lot.order_id)
    fact = events.PointsExpired(points=lot.open, balance=before - lot.open)
    log.append(tx, fact, subject=lot.customer, profile=lot.customer)
    return True
