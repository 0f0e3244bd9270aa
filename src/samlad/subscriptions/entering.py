"""What the verbs begin and end with: a subscription held for a change, by whoever may; its days; the view of it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from samlad import channels, customers, delivery, payments, stock
from samlad.carts import Address, Delivery
from samlad.carts import rules as cart_rules
from samlad.carts.delivery_choice import way_of
from samlad.carts.opening import check_location
from samlad.channels import Channel
from samlad.delivery import MethodKind
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.log import Fact
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.kernel.vault import Vault
from samlad.subscriptions import rules, store
from samlad.subscriptions.model import (
    Line,
    LineInput,
    PaymentMeans,
    Status,
    Subscription,
    SubscriptionHead,
    TooLate,
    WrongStatus,
)
from samlad.subscriptions.permissions import CHANGE, READ

NO_SUBSCRIPTION = "There is no such subscription."
SEALED = "subscriptions.payment"
IN_ORDER: dict[str, Any] = {"attempts": 0, "failed_at": None, "retry_at": None, "trouble": None}
"""Nothing keeps the next order from coming."""
UNCHARGED: dict[str, Any] = {
    "charging": None,
    "charging_cart": None,
    "charging_prices": None,
    "charging_short": None,
}
"""No payment is under way."""


async def enter(
    tx: Tx, subscription: UUID, version: int | None, *statuses: Status
) -> tuple[Subscription, Channel]:
    """A subscription held for a change: by staff, or by the customer whose it is.

    Raises:
        NotFound: there is none, or it is somebody else's. Outdated: not the version that was seen.
        WrongStatus: it has none of these statuses.
    """
    if tx.actor.kind != "customer":
        tx.actor.require(CHANGE)
    found = await store.lock(tx, subscription)
    if found is None or not await _may_see(tx, tx.actor, found):
        raise NotFound(NO_SUBSCRIPTION)
    check_version(version, found.version)
    if statuses and found.status not in statuses:
        raise WrongStatus(f"It is {found.status}.", state=found.status)
    return found, await channels.cached(tx, found.channel)


async def read(reader: Reader, actor: Actor, subscription: UUID) -> Subscription:
    """A subscription, for staff or the customer whose it is.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    if actor.kind != "customer":
        actor.require(READ)
    found = await store.read(reader, subscription)
    if found is None or not await _may_see(reader, actor, found):
        raise NotFound(NO_SUBSCRIPTION)
    return found


async def _may_see(reader: Reader, actor: Actor, found: Subscription) -> bool:
    return actor.kind != "customer" or await customers.are_same(reader, found.customer, actor.id)


async def again(tx: Tx, subscription: UUID) -> Subscription:
    """A subscription as it is now."""
    found = await store.read(tx, subscription)
    assert found is not None
    return found


def today(channel: Channel) -> date:
    """The day on the channel's calendar."""
    return local_day(now(), channel.time_zone)


def changes_until(found: SubscriptionHead, channel: Channel, day: date) -> datetime:
    """Till when customers can change the order of a day."""
    placed = rules.moment_of(day, channel.setting("subscription_hour"), channel.time_zone)
    return placed - timedelta(hours=found.terms.cutoff_hours)


def check_changeable(tx: Tx, found: Subscription, channel: Channel) -> None:
    """Raises TooLate for a customer after the cut-off, WrongStatus while the next order is being paid.

    What could not be placed on its day has no cut-off any more: it waits for its customer too.
    """
    if found.charging is not None:
        raise WrongStatus("The next order is being paid at this moment.", state="charging")
    until = changes_until(found, channel, found.next_on)
    is_under_way = found.status is Status.ACTIVE and found.trouble is None and now() > until
    if tx.actor.kind == "customer" and is_under_way:
        raise TooLate(
            f"It could be changed until {until.isoformat(timespec='minutes')}.",
            next_on=found.next_on.isoformat(),
            until=until.isoformat(),
        )


def tell(tx: Tx, found: SubscriptionHead, fact: Fact) -> None:
    """Append what happened to a subscription."""
    log.append(tx, fact, subject=found.id, channel=found.channel, profile=found.customer)


def told_lines(lines: Sequence[LineInput | Line]) -> list[dict[str, Any]]:
    """Lines as events tell them."""
    return [{"variant": str(line.variant), "quantity": line.quantity} for line in lines]


def next_from(found: SubscriptionHead, least: int, day: date) -> dict[str, Any]:
    """The cycle, at least ``least``, that comes at or after a day, as columns."""
    cycle, on = rules.next_cycle(found.terms, found.anchor_on, found.anchor_cycle, least, day)
    return {"cycle": cycle, "next_on": on, "is_wanted_now": False}


async def let_go(tx: Tx, found: Subscription) -> dict[str, Any]:
    """A payment that is under way is not wanted any more, and its goods are free; the columns that then change."""
    if found.charging is None or found.charging_cart is None:
        return {}
    await payments.leave_begun(tx, found.charging_cart, found.charging)
    await stock.release(tx, found.charging_cart)
    return dict(UNCHARGED)


# -- how it gets there, and how it is paid -----------------------------------------------------------------------------


async def way(
    tx: Tx,
    channel: Channel,
    code: str | None,
    location: UUID | None,
    address: Address | None,
    *,
    kept: UUID | None = None,
) -> tuple[Delivery, UUID | None]:
    """How goods get to the customer: by the method that is named (``code``), else as before (``kept``) if that goes to the
    address, else to a location if there is one, else by the first method that goes there.

    Raises:
        InvalidInput: no such method, one that nothing is sent with, or none that goes to the address; no address, no such
            location.
    """
    methods = await delivery.methods_of(tx, channel)
    to = cart_rules.destination(address, channel.country)
    method = next((each for each in methods if each.code == code), None)
    if code is not None and (method is None or method.kind is MethodKind.CARRY_OUT):
        named = ", ".join(each.code for each in methods if each.kind is not MethodKind.CARRY_OUT) or "none"
        raise InvalidInput.at(
            "delivery_method", f"{channel.code} has no “{code}” to send with; it has: {named}"
        )
    if method is None:
        kinds = delivery.COLLECTED if location is not None else frozenset({MethodKind.SHIP})
        fitting = [each for each in methods if each.kind in kinds]
        as_before = [each for each in methods if each.id == kept]
        method = next(iter([*delivery.reaching([*as_before, *fitting], to), *fitting]), None)
    is_pickup = location is not None if method is None else method.kind in delivery.COLLECTED
    chosen = way_of(method) if method else Delivery.PICKUP if is_pickup else Delivery.SHIP
    is_digital = method is not None and method.kind is MethodKind.DIGITAL
    if chosen is Delivery.SHIP and address is None and not is_digital:
        raise InvalidInput.at("address", "is needed to send the goods")
    if method is not None and address is not None and not delivery.reaching([method], to):
        field = "address" if code is None else "delivery_method"
        where = f"{address.postal_code or ''} {address.country}".strip()
        raise InvalidInput.at(field, f"“{method.code}” does not go to {where}; choose another one")
    if chosen is Delivery.PICKUP and location is None:
        raise InvalidInput.at("location", "say where the goods are picked up")
    if location is not None:
        await check_location(tx, location, channel)
    return chosen, None if method is None else method.id


def tidy_address(address: Address | None) -> Address | None:
    """The address as it is kept. Raises InvalidInput if it cannot be right."""
    if address is None:
        return None
    cards.refuse(address, "address")
    faults = cart_rules.address_errors(address)
    if faults:
        raise InvalidInput("The address cannot be right.", errors=tuple(faults))
    return cart_rules.tidy(address)


async def means_of(tx: Tx, channel: Channel, means: PaymentMeans | None) -> dict[str, Any]:
    """How renewals are paid, as columns; the token sealed.

    Raises:
        InvalidInput: nobody can be charged so while they are away, or the channel does not offer it.
        Forbidden: a customer names what a provider on the network keeps other than by a card of their own (``kept:`` and its
            id), because it may be somebody else's.
        CardNumber: the token looks like one.
    """
    if means is None:
        return {"provider": None, "sealed_token": None}
    cards.refuse(means, "payment")
    through = payments.provider(means.provider, field="payment/provider")
    if not payments.pays_alone(means.provider):
        raise InvalidInput.at("payment/provider", f"{means.provider} needs the customer to be there")
    token = means.token
    if payments.is_network(through) and tx.actor.kind == "customer":
        if token is None or not token.startswith(payments.KEPT):
            raise Forbidden("What a provider keeps of a customer is said by the shop.")
        token = await payments.away_token(tx, means.provider, token)
    if not payments.is_offered(channel, through):
        raise InvalidInput.at("payment/provider", f"“{channel.code}” does not offer {means.provider}")
    sealed = None
    if token is not None:
        sealed = Vault.of(tx.database.settings).seal(SEALED, token.encode())
    return {"provider": means.provider, "sealed_token": sealed}


async def token_of(tx: Tx, found: Subscription) -> str | None:
    """What the provider is asked with."""
    if found.provider == "store_credit":
        return str(found.customer)
    sealed = await store.token_of(tx, found.id)
    return None if sealed is None else Vault.of(tx.database.settings).open(SEALED, sealed).decode()


async def reached(database: Database, actor: Actor, subscription: UUID) -> tuple[Subscription, Channel]:
    """A subscription that the actor may see, and its channel."""
    found = await read(database, actor, subscription)
    return found, await channels.cached(database, found.channel)
