"""Reading together what is printed: seller, buyer, lines, payments. Of an order as it is now, with nothing issued."""

from datetime import datetime
from typing import Any
from uuid import UUID

from samlad import channels, content, customers, delivery, orders, stock
from samlad.channels import Channel
from samlad.documents import rules, taxation
from samlad.documents.model import (
    Bank,
    BuyerInput,
    Entity,
    Paid,
    Party,
    Printed,
    PrintedLine,
)
from samlad.kernel.clock import local_day
from samlad.kernel.database import Database, Tx
from samlad.kernel.i18n import LOCALES, negotiate
from samlad.orders import Order, OrderHead
from samlad.payments import Payment, PaymentStatus


def seller_party(entity: Entity) -> Party:
    """The seller as documents name them."""
    return Party(
        name=entity.name,
        trading_name=entity.trading_name,
        line1=entity.line1,
        line2=entity.line2,
        postal_code=entity.postal_code,
        city=entity.city,
        country=entity.country,
        registration_number=entity.registration_number,
        vat_number=entity.vat_number,
        email=entity.email,
        phone=entity.phone,
        website=entity.website,
        endpoint=entity.endpoint,
    )


def buyer_party(order: OrderHead, given: BuyerInput) -> Party:
    """The buyer: what the order says, and what was given of a business beside it."""
    address = order.address
    name = given.name or order.name or (address.name if address else "") or order.email or ""
    return Party(
        name=name,
        line1=address.line1 if address else "",
        line2=(address.line2 or "") if address else "",
        postal_code=(address.postal_code or "") if address else "",
        city=address.city if address else "",
        region=(address.region or "") if address else "",
        country=address.country if address else (order.country or ""),
        registration_number=given.registration_number,
        vat_number=given.vat_number or taxation.vat_number_of(order),
        email=order.email or "",
        phone=order.phone or "",
        endpoint=given.endpoint,
    )


def ship_to_of(order: OrderHead) -> Party | None:
    """Where the goods go, if they are sent."""
    if order.delivery != "ship" or order.address is None:
        return None
    address = order.address
    return Party(
        name=address.name,
        line1=address.line1,
        line2=address.line2 or "",
        postal_code=address.postal_code or "",
        city=address.city,
        region=address.region or "",
        country=address.country,
    )


def bank_of(entity: Entity, payments: list[Payment], number: str) -> Bank:
    """Where to pay to, with the reference of the payment that is waited for, else the document's number."""
    waiting = _waited_for(payments)
    return Bank(
        iban=entity.iban,
        bic=entity.bic,
        account=entity.bank_account,
        reference=waiting[0] if waiting else number,
    )


def _waited_for(payments: list[Payment]) -> list[str]:
    """The references of payments that are to come by a day."""
    return [p.reference for p in payments if p.status is PaymentStatus.PENDING and p.due_on and p.reference]


def paid_of(payments: list[Payment]) -> list[Paid]:
    """The payments that count, in their order."""
    return [
        Paid(provider=p.provider, amount=p.captured or p.amount, tendered=p.tendered, change_due=p.change_due)
        for p in payments
        if p.status not in (PaymentStatus.DECLINED, PaymentStatus.VOIDED)
    ]


async def _paid_back(reader: Database | Tx, order: Order) -> list[Paid]:
    """What went back for a return, as payments of less than nothing."""
    parts = await orders.given_back(reader, order)
    return [Paid(provider=provider, amount=-amount) for provider, amount in parts.items()]


async def locale_of(reader: Database | Tx, order: OrderHead, channel: Channel) -> str:
    """The customer's language if we have it, else the channel's, else English."""
    person = None if order.customer is None else await customers.get(reader, order.customer)
    wanted = (person.locale if person else None) or channel.locale
    return negotiate(wanted, LOCALES)


async def place_of(reader: Database | Tx, location: UUID | None) -> tuple[str, list[str]]:
    """Name and address of the store where an order is handed over."""
    if location is None:
        return "", []
    place = await stock.location(reader, location)
    return place.name, address_lines(place.address)


def address_lines(address: dict[str, Any]) -> list[str]:
    """A location's address as it is written on a letter."""
    street = address.get("lines") or address.get("line1") or address.get("street") or ""
    town = " ".join(str(address[key]) for key in ("postal_code", "city") if address.get(key))
    return [line for line in (*str(street).split("\n"), town, str(address.get("region") or "")) if line]


async def printed_order(
    reader: Database | Tx, order: Order, kind: str, entity: Entity | None, moment: datetime
) -> Printed:
    """An order as it is now, for a confirmation or a receipt; without a legal entity its channel stands for the seller."""
    channel = await channels.cached(reader, order.channel)
    place, place_lines = await place_of(reader, order.location)
    seller = seller_party(entity) if entity else Party(name=channel.name, country=channel.country)
    locale = await locale_of(reader, order, channel)
    order = await orders.spoken(reader, order, locale)
    lines = rules.printed_lines(order.lines)
    rounding = rules.rounding_of(order.lines)
    tip = await orders.tip_of(reader, order.id)
    return Printed(
        kind=kind,
        number=order.number,
        issued_on=local_day(order.placed_at, channel.time_zone),
        issued_at=moment,
        locale=locale,
        time_zone=channel.time_zone,
        currency=order.currency,
        seller=seller,
        buyer=buyer_party(order, BuyerInput()),
        ship_to=ship_to_of(order),
        order=order.id,
        order_number=order.number,
        placed_at=order.placed_at,
        channel=channel.name,
        place=place,
        place_lines=place_lines,
        lines=lines,
        rounding=rounding,
        **sums(lines, rounding),
        paid=order.paid - (tip.amount if tip else 0),
        tip=tip.amount - tip.returned if tip else 0,
        payments=paid_of(order.payments) or await _paid_back(reader, order),
        bank=bank_of(entity, order.payments, order.number)
        if entity
        else Bank(reference="".join(_waited_for(order.payments)[:1])),
        due_on=min((p.due_on for p in order.payments if p.due_on), default=None),
        legal_text=entity.legal_text if entity else "",
        footer=channel.setting("receipt_footer"),
        logo=(entity.logo if entity else "") or await content.printed_logo(reader, channel),
        promise=await _promise(reader, order, locale, channel.country),
        note=order.note or "",
    )


async def _promise(reader: Database | Tx, order: Order, locale: str, country: str) -> str:
    """When the buyer was promised the goods, by date: a confirmation is read on other days, too."""
    if order.promise is None:
        return ""
    when = await delivery.as_of(reader, order.promise, None, locale=locale, country=country)
    return when if order.promise.name in when else f"{order.promise.name}: {when}"


def sums(lines: list[PrintedLine], rounding: int) -> dict[str, Any]:
    """The sums of lines as the fields of what is printed."""
    rates = rules.rate_totals(lines)
    net, tax = sum(rate.net for rate in rates), sum(rate.tax for rate in rates)
    return {"rates": rates, "net": net, "tax": tax, "total": net + tax + rounding}
