"""Kim, a customer of the demo with an account: an order that came, a subscription, wishes and a gift card.

Whoever looks at the demo signs in with Kim's address; the mail with the link is in the program's log.
"""

from datetime import timedelta
from uuid import UUID

from samlad import carts, catalog, credit, customers, orders, subscriptions
from samlad.carts import Address, CartInput, Delivery, DetailsInput, LineInput
from samlad.channels import Channel, Resource
from samlad.credit import IssueInput
from samlad.customers import PersonInput
from samlad.demo.own_range import OwnRange
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.orders import FulfilInput, PlaceOrder
from samlad.payments import PaymentInput
from samlad.subscriptions import (
    FromOrderInput,
    PauseInput,
    PaymentMeans,
    StartInput,
)
from samlad.subscriptions import LineInput as RepeatedLine

EMAIL, NAME = "kim.berg@gift-shop.example", "Kim Berg"
WISHES = ("22726", "23284", "22960")
"""Stock codes: an alarm clock, a doormat, a jam making set."""
CARD = 2500
"""Pence on Kim's gift card."""
ADDRESS = Address(name=NAME, line1="1 Station Road", postal_code="LE1 1AA", city="Leicester", country="GB")


async def arrive(database: Database, channel: Channel) -> UUID:
    """Kim is there, with wishes: the customer's id. Again changes nothing."""
    person = PersonInput(email=EMAIL, name=NAME, country="GB", locale="en")
    pool = channel.pool(Resource.CUSTOMERS)
    kim = (
        await database.transaction(lambda tx: customers.find_or_create(tx, pool, person, channel=channel.id))
    ).id
    acting = Context(actor=Actor(kind="customer", id=kim), channel=channel.id)
    variants = await catalog.by_skus(database, channel.pool(Resource.CATALOGUE), WISHES)
    for sku in WISHES:
        line = LineInput(variant=variants[sku].id)
        await database.transaction(lambda tx, line=line: carts.wish(tx, channel.id, line), acting)  # type: ignore[misc]
    return kim


async def trade(tx: Tx, channel: Channel, kim: UUID, own: OwnRange) -> None:
    """Kim buys, by a plan and once; a second subscription rests; a gift card was a present. Once: who calls it holds that."""
    jam, plan = own.jam.variants[0].id, own.plan
    lines = [
        LineInput(variant=jam, quantity=2, plan=plan.id),
        LineInput(variant=own.apron.variants[1].id),
        LineInput(variant=own.tea.variants[0].id),
    ]
    cart = await carts.create(tx, CartInput(channel=channel.id, customer=kim, lines=lines))
    details = DetailsInput(email=EMAIL, name=NAME, address=ADDRESS, delivery=Delivery.SHIP)
    await carts.set_details(tx, cart.id, details)
    await carts.checkout(tx, cart.id)
    order = await orders.place(tx, PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="test")]))
    await orders.fulfil(tx, order.id, FulfilInput())
    paid = PaymentMeans(provider="test")
    for each in await subscriptions.start_from_order(tx, FromOrderInput(order=order.id, payment=paid)):
        await subscriptions.skip(tx, each.id)
    later = local_day(now(), channel.time_zone) + timedelta(days=20)
    second = StartInput(
        plan=plan.id,
        channel=channel.id,
        customer=kim,
        lines=[RepeatedLine(variant=jam, quantity=1)],
        email=EMAIL,
        name="Robin Berg",
        address=ADDRESS,
        payment=paid,
        first_on=later,
    )
    rests = await subscriptions.start(tx, second)
    until = PauseInput(until=later + timedelta(days=40), reason="Robin is away over the summer")
    await subscriptions.pause(tx, rests.id, until)
    card = IssueInput(
        channel=channel.id,
        amount=CARD,
        customer=kim,
        note="A present at the opening",
    )
    await credit.issue(tx, card)
