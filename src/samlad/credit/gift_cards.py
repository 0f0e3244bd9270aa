"""The verbs of gift cards. A card belongs to a pool of customers (docs/concepts/credit.md says why) and a currency."""

from uuid import UUID

from samlad import channels, customers
from samlad.access import audit
from samlad.access.rate import LocalLimit, limit
from samlad.channels import Channel, Resource
from samlad.credit import book, codes, events, mail_planning, rules, sold_with, store
from samlad.credit.book import Leg
from samlad.credit.mail_model import MailInput
from samlad.credit.model import (
    AccountKind,
    BalanceInput,
    CardBalance,
    CardState,
    CardStatus,
    CardUnusable,
    GiftCard,
    IssuedCard,
    IssueInput,
    Origin,
    TopUpInput,
)
from samlad.credit.permissions import GRANT, ISSUE, PAY
from samlad.kernel import cards, log
from samlad.kernel.clock import day_bounds, local_day, now
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.stock import reach

GUESSES, GUESS_SECONDS = 20, 600
"""Codes that a stranger may ask about from one address in so many seconds, over all processes."""
tries = LocalLimit(per_second=0.2, burst=20)
"""Codes that a stranger may try to pay with, inside this process: a count in the database would roll back with the
order that fails. 79 random bits are what really protects a card."""
SWEEP = 100


async def issue(tx: Tx, data: IssueInput) -> IssuedCard:
    """Make a card. With an order it waits until that is paid; else it pays at once and somebody says why.

    Raises:
        InvalidInput: no such channel, or order, or it comes to less; a card that is given without a note why.
        Conflict: this key was used before: the card is there, and its code was told then. The order is cancelled.
    """
    _may_charge(tx, data.order)
    cards.refuse(data.note, "note")
    channel = await _channel(tx, data.channel)
    await reach.require(tx, Resource.CUSTOMERS, channel.pools[Resource.CUSTOMERS])
    if data.customer is not None:
        await reach.check(tx, tx.actor, "customer_id", data.customer)
    if data.order is None and not data.note.strip():
        raise InvalidInput.at("note", "say why it is given")
    if data.origin not in (Origin.GIVEN, Origin.SOLD):
        raise InvalidInput.at("origin", "given or sold")
    if data.order is not None:  # the order before the card, as everywhere
        await sold_with.require(tx, data.order, channel.currency, data.amount, data.key)
    origin = Origin.SOLD if data.order else data.origin
    made = await create(
        tx,
        channel,
        card_id=data.key or new_id(),
        origin=origin,
        customer=data.customer,
        note=data.note,
        status=CardStatus.WAITING,
    )
    fact = events.GiftCardIssued(
        last_four=made.card.last_four,
        currency=made.card.currency,
        balance=0,
        origin=origin,
        amount=data.amount,
        order=data.order,
        customer=data.customer,
    )
    log.append(tx, fact, subject=made.card.id, channel=channel.id, profile=data.customer)
    charge = store.Charge(
        id=made.card.id,
        card=made.card.id,
        amount=data.amount,
        kind="issue",
        source="sold" if origin is Origin.SOLD else "given",
        order_id=data.order,
        status="waiting",
    )
    await _charge(tx, charge, data.note)
    if data.mail is not None:
        await mail_planning.plan(tx, made.card, channel, data.mail, data.order)
    audit.record(tx, "gift-card.issued", "gift-card", made.card.id, after=_audited(made.card, data.amount))
    code = made.code if data.mail is None else ""  # the mail will have another one
    return IssuedCard(card=await get(tx, made.card.id), code=code)


async def sell_by_mail(
    tx: Tx, channel: Channel, card_id: UUID, amount: int, order: UUID, to: MailInput
) -> None:
    """A card of ``amount`` (minor units) that a customer buys for somebody: it waits for its order, then for its day.

    Part of the verb of orders that sells it.

    Raises:
        Conflict: the same was sold before. InvalidInput: it cannot go on this day.
    """
    made = await create(tx, channel, card_id=card_id, origin=Origin.SOLD, status=CardStatus.WAITING)
    fact = events.GiftCardIssued(
        last_four=made.card.last_four,
        currency=made.card.currency,
        balance=0,
        origin=Origin.SOLD,
        amount=amount,
        order=order,
    )
    log.append(tx, fact, subject=card_id, channel=channel.id)
    await charge_sold(tx, card_id, card_id, amount, order)
    await mail_planning.plan(tx, made.card, channel, to, order)


def _may_charge(tx: Tx, order: UUID | None) -> None:
    """Selling value is work of every day; giving it away is not."""
    if order is None:
        tx.actor.require(GRANT)
    else:
        tx.actor.require(ISSUE)


async def create(
    tx: Tx,
    channel: Channel,
    *,
    card_id: UUID,
    origin: Origin,
    status: CardStatus,
    customer: UUID | None = None,
    note: str = "",
    replaces: GiftCard | None = None,
    currency: str | None = None,
    known: tuple[bytes, str] | None = None,
) -> IssuedCard:
    """An empty card with a new code, or with one that is ``known`` by its hash and last four only; the value comes by an entry. A replacement keeps the old one's last day."""
    pool = replaces.pool if replaces else channel.pools[Resource.CUSTOMERS]
    if customer is not None:
        found = await customers.get(tx, customer)
        if found is None or found.pool != pool:
            raise InvalidInput.at("customer", "there is no such customer in this channel")
    unit = currency or channel.currency
    code = codes.new_card_code()
    (account,) = await book.accounts_of(tx, pool, [(AccountKind.GIFT_CARD, unit, card_id)])
    issued = local_day(now(), channel.time_zone)
    expires_on = (
        replaces.expires_on
        if replaces
        else rules.last_day(issued, channel.setting("gift_card_months"), channel.country)
    )
    inserted = await store.insert_card(
        tx,
        {
            "id": card_id,
            "pool": pool,
            "account": account,
            "code_hash": known[0] if known else codes.card_hash(code),
            "last_four": known[1] if known else code[-4:],
            "currency": unit,
            "status": status,
            "origin": origin,
            "channel": channel.id,
            "customer": customer,
            "replaces": replaces.id if replaces else None,
            "expires_on": expires_on,
            "expires_at": None if expires_on is None else day_bounds(expires_on, channel.time_zone)[1],
            "note": note,
        },
    )
    if not inserted:
        raise Conflict("This card was issued before; its code was told then.", card=str(card_id))
    return IssuedCard(card=await get(tx, card_id), code="" if known else codes.written(code))


async def top_up(tx: Tx, card_id: UUID, data: TopUpInput) -> GiftCard:
    """Put more onto a card: at once with a reason, or once its order is paid. The same key twice is done once.

    Raises:
        CardState: the card is replaced or cancelled, or its time is over.
        InvalidInput: there is no such order. Conflict: it is cancelled.
    """
    _may_charge(tx, data.order)
    cards.refuse(data.reason, "reason")
    if data.order is None and not data.reason.strip():
        raise InvalidInput.at("reason", "say why it is given")
    if data.order is not None:  # the order before the card, as the follower locks them
        currency = (await get(tx, card_id)).currency
        await sold_with.require(tx, data.order, currency, data.amount, data.key)
        await store.note_order(tx, data.order)
    card = await lock(tx, card_id)
    if card.status in (CardStatus.REPLACED, CardStatus.CANCELLED) or card.is_expired:
        raise CardState("It takes no more value.", state=_state(card))
    charge = store.Charge(
        id=data.key or new_id(),
        card=card.id,
        amount=data.amount,
        kind="top_up",
        source="sold" if data.order else "given",
        order_id=data.order,
        status="waiting",
    )
    if await _charge(tx, charge, data.reason):
        after = {"amount": data.amount, "order": data.order, "reason": data.reason}
        audit.record(tx, "gift-card.topped-up", "gift-card", card.id, after=after)
    return await get(tx, card_id)


async def charge_sold(tx: Tx, charge: UUID, card: UUID, amount: int, order: UUID) -> None:
    """A card that waited is worth what it was sold for once its order is paid. The same charge twice is done once."""
    new = store.Charge(
        id=charge,
        card=card,
        amount=amount,
        kind="issue",
        source="sold",
        order_id=order,
        status="waiting",
    )
    await _charge(tx, new, "")


async def _charge(tx: Tx, charge: store.Charge, reason: str) -> bool:
    """Keep a charge and book it, unless its order is still to be paid; False if it was there before."""
    is_paid = is_cancelled = False
    if (
        charge.order_id is not None
    ):  # the order's row is the lock against the follower that hears of its payment
        is_paid, is_cancelled = await store.note_order(tx, charge.order_id)
    if is_cancelled:
        raise Conflict("This order is cancelled.", order=str(charge.order_id))
    if not await store.insert_charge(tx, charge):
        return False
    if charge.order_id is None or is_paid:
        await book_charge(tx, charge, reason)
    return True


async def book_charge(tx: Tx, charge: store.Charge, reason: str = "") -> None:
    """The value is on the card from now on; done once, whoever asks."""
    card = await lock(tx, charge.card)
    if not await store.set_charge(tx, charge.id, "booked"):
        return
    legs = [
        Leg(AccountKind.GIFT_CARD, charge.amount, card.currency, card.id),
        Leg(AccountKind(charge.source), -charge.amount, card.currency),
    ]
    await book.post(
        tx, card.pool, charge.kind, f"charge:{charge.id}", legs, reference=charge.order_id, reason=reason
    )
    if card.status is CardStatus.WAITING:
        await store.set_status(tx, card.id, CardStatus.ACTIVE)
    fact = events.GiftCardCharged(
        last_four=card.last_four,
        currency=card.currency,
        balance=card.balance + charge.amount,
        amount=charge.amount,
        order=charge.order_id,
    )
    log.append(tx, fact, subject=card.id, channel=card.channel, profile=card.customer)


async def cancel_charge(tx: Tx, charge: store.Charge) -> None:
    """The order was called off: what it put onto the card comes off again, as far as it is still there."""
    assert charge.order_id is not None
    card = await lock(tx, charge.card)
    if not await store.set_charge(tx, charge.id, "cancelled"):
        return
    back = min(charge.amount, card.balance - card.held) if charge.status == "booked" else 0
    if back:
        legs = [
            Leg(AccountKind.GIFT_CARD, -back, card.currency, card.id),
            Leg(AccountKind.SOLD, back, card.currency),
        ]
        await book.post(tx, card.pool, "cancel", f"cancel:{charge.id}", legs, reference=charge.order_id)
    if card.status in (CardStatus.WAITING, CardStatus.ACTIVE) and not await store.has_booked(tx, card.id):
        await store.set_status(tx, card.id, CardStatus.CANCELLED)
    fact = events.GiftCardCancelled(
        last_four=card.last_four,
        currency=card.currency,
        balance=card.balance - back,
        amount=back,
        spent=charge.amount - back if charge.status == "booked" else 0,
        order=charge.order_id,
    )
    log.append(tx, fact, subject=card.id, channel=card.channel, profile=card.customer)


async def block(tx: Tx, card_id: UUID, reason: str = "") -> GiftCard:
    """A card pays nothing until it is freed or replaced. What is authorised already stays so."""
    tx.actor.require(ISSUE)
    cards.refuse(reason, "reason")
    card = await lock(tx, card_id)
    if card.status is CardStatus.BLOCKED:
        return card
    if card.status is not CardStatus.ACTIVE:
        raise CardState("Only a card that pays can be blocked.", state=_state(card))
    return await _set_status(tx, card, CardStatus.BLOCKED, reason)


async def unblock(tx: Tx, card_id: UUID, reason: str = "") -> GiftCard:
    """A blocked card pays again."""
    tx.actor.require(GRANT)
    cards.refuse(reason, "reason")
    card = await lock(tx, card_id)
    if card.status is CardStatus.ACTIVE:
        return card
    if card.status is not CardStatus.BLOCKED:
        raise CardState("It is not blocked.", state=_state(card))
    return await _set_status(tx, card, CardStatus.ACTIVE, reason)


async def replace(tx: Tx, card_id: UUID, reason: str = "") -> IssuedCard:
    """A lost card: a new code with the same balance and last day; the old code is worth nothing from now on.

    What is authorised on the old card is still taken there; what goes back to it goes to the new one.

    Raises:
        CardState: it was replaced before, is not paid yet, or its time is over.
    """
    tx.actor.require(ISSUE)
    cards.refuse(reason, "reason")
    card = await lock(tx, card_id)
    if card.status not in (CardStatus.ACTIVE, CardStatus.BLOCKED) or card.is_expired:
        raise CardState("It cannot be replaced.", state=_state(card))
    channel = await channels.cached(tx, card.channel)
    made = await create(
        tx,
        channel,
        card_id=new_id(),
        origin=Origin.REPLACEMENT,
        status=CardStatus.ACTIVE,
        customer=card.customer,
        note=card.note,
        replaces=card,
        currency=card.currency,
    )
    moved = card.balance - card.held
    if moved:
        legs = [
            Leg(AccountKind.GIFT_CARD, -moved, card.currency, card.id),
            Leg(AccountKind.GIFT_CARD, moved, card.currency, made.card.id),
        ]
        await book.post(
            tx, card.pool, "transfer", f"replace:{card.id}", legs, reference=made.card.id, reason=reason
        )
    await _set_status(tx, card, CardStatus.REPLACED, reason)
    fact = events.GiftCardIssued(
        last_four=made.card.last_four,
        currency=card.currency,
        balance=moved,
        origin=Origin.REPLACEMENT,
        amount=moved,
        customer=card.customer,
        replaces=card.id,
    )
    log.append(tx, fact, subject=made.card.id, channel=card.channel, profile=card.customer)
    return IssuedCard(card=await get(tx, made.card.id), code=made.code)


async def get(reader: Reader, card_id: UUID) -> GiftCard:
    """A card.

    Raises:
        NotFound: there is none.
    """
    card = await store.card(reader, card_id)
    if card is None:
        raise NotFound("There is no such gift card.")
    return card


async def find(reader: Reader, text: str) -> GiftCard | None:
    """The card with a code as it was typed, in whatever state, for staff; None if there is none."""
    code = codes.read_card_code(text)
    return None if code is None else await store.card_by_hash(reader, codes.card_hash(code))


async def usable(reader: Reader, text: str, channel: Channel) -> GiftCard:
    """The card with a code that can pay in a channel. Whoever shows it to strangers counts their tries (`guess`).

    Raises:
        CardUnusable: the same answer whatever is the matter with it.
    """
    card = await find(reader, text)
    wrong = (
        card is None
        or card.status is not CardStatus.ACTIVE
        or card.is_expired
        or card.pool != channel.pools[Resource.CUSTOMERS]
        or card.currency != channel.currency
    )
    if card is None or wrong:
        raise CardUnusable("Look at the code once more, or ask us.")
    return card


async def balance(reader: Database | Tx, data: BalanceInput) -> CardBalance:
    """What a card can pay, for whoever holds its code."""
    card = await usable(reader, data.code, await channels.cached(reader, data.channel))
    return CardBalance(
        last_four=card.last_four,
        currency=card.currency,
        available=card.available,
        expires_on=card.expires_on,
    )


async def keep(tx: Tx, card: GiftCard, customer: UUID) -> None:
    """Let a customer who holds the code of a card (`usable`) keep it in their account. Kept before, nothing happens.

    It pays as before for whoever has its code.

    Raises:
        Conflict: it is in somebody else's account.
    """
    if not (tx.actor.kind == "customer" and tx.actor.id == customer):
        tx.actor.require(ISSUE)
    if await store.set_holder(tx, card.id, customer):
        fact = events.GiftCardKept(last_four=card.last_four, currency=card.currency, balance=card.balance)
        log.append(tx, fact, subject=card.id, channel=card.channel, profile=customer)
        return
    now_held = await get(tx, card.id)
    if not await customers.are_same(tx, now_held.customer, customer):
        raise Conflict("This card is in somebody's account already.")


async def guess(tx: Tx) -> None:
    """Count that somebody asks about a code; in a transaction of its own, or a wrong one would not count.

    Raises:
        TooMany: too many from this address, unless it is staff.
    """
    if not tx.actor.may(PAY):
        await limit(tx, "gift-card.code", tx.context.remote or "?", per=GUESS_SECONDS, max=GUESSES)


async def sweep(database: Database) -> int:
    """Take what is left on cards whose time is over; how many cards."""
    total = 0
    while True:
        count = await database.transaction(_expire_some)
        total += count
        if count < SWEEP:
            return total


async def _expire_some(tx: Tx) -> int:
    moment = now()
    found = await store.cards_of(tx, await store.expired_cards(tx, moment, SWEEP))
    for card in found:
        left = card.balance - card.held
        legs = [
            Leg(AccountKind.GIFT_CARD, -left, card.currency, card.id),
            Leg(AccountKind.EXPIRED, left, card.currency),
        ]
        await book.post(tx, card.pool, "expire", f"expire:{new_id()}", legs)
        fact = events.GiftCardExpired(
            last_four=card.last_four, currency=card.currency, balance=card.held, amount=left
        )
        log.append(tx, fact, subject=card.id, channel=card.channel, profile=card.customer)
    return len(found)


async def lock(tx: Tx, card_id: UUID) -> GiftCard:
    """A card, held against changes until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    card = await store.lock_card(tx, card_id)
    if card is None:
        raise NotFound("There is no such gift card.")
    return card


async def _set_status(tx: Tx, card: GiftCard, status: CardStatus, reason: str) -> GiftCard:
    await store.set_status(tx, card.id, status)
    changed = await get(tx, card.id)
    fact = events.GiftCardStatusChanged(
        last_four=card.last_four,
        currency=card.currency,
        balance=changed.balance,
        before=card.status,
        after=status,
        reason=reason,
    )
    log.append(tx, fact, subject=card.id, channel=card.channel, profile=card.customer)
    audit.record(
        tx,
        f"gift-card.{status}",
        "gift-card",
        card.id,
        before={"status": card.status},
        after={"status": status, "reason": reason},
    )
    return changed


async def _channel(tx: Tx, channel_id: UUID) -> Channel:
    try:
        return await channels.cached(tx, channel_id)
    except NotFound:
        raise InvalidInput.at("channel", "there is no such channel") from None


def _state(card: GiftCard) -> str:
    return "expired" if card.is_expired and card.status is CardStatus.ACTIVE else str(card.status)


def _audited(card: GiftCard, amount: int) -> dict[str, object]:
    return {
        "last_four": card.last_four,
        "currency": card.currency,
        "amount": amount,
        "origin": card.origin,
        "note": card.note,
    }
