"""Short ways to act with cards, credit and points."""

from typing import Any
from uuid import UUID

import msgspec

from samlad import credit, customers
from samlad.channels import Channel, Resource
from samlad.credit import IssuedCard, IssueInput, Programme, ProgrammeInput, checks
from samlad.customers import PersonInput
from samlad.kernel.database import Database
from samlad.payments import PaymentInput
from trade import Trade

PROGRAMME: dict[str, Any] = {
    "name": "Gathered",
    "is_automatic": True,
    "rates": [{"currency": "SEK", "spend": 1_000, "points": 1}],
    "tiers": [
        {"code": "silver", "name": "Silver", "threshold": 100, "multiplier_percent": 150},
        {"code": "gold", "name": "Gold", "threshold": 1_000, "multiplier_percent": 200},
    ],
    "rewards": [
        {"code": "fifty", "name": "50 kr", "points": 50, "amount": 5_000, "currency": "SEK"},
        {
            "code": "card",
            "name": "Card",
            "points": 20,
            "kind": "gift_card",
            "amount": 2_000,
            "currency": "SEK",
        },
    ],
}


async def given(
    trade: Trade, amount: int = 50_000, channel: Channel | None = None, **fields: Any
) -> IssuedCard:
    """A card given by the house."""
    data = IssueInput(channel=(channel or trade.web).id, amount=amount, note="Welcome", **fields)
    return await trade.db.transaction(lambda tx: credit.issue(tx, data))


async def person(trade: Trade, email: str = "kim@example.org", channel: Channel | None = None) -> UUID:
    """A customer."""
    pool = (channel or trade.web).pools[Resource.CUSTOMERS]
    found = await trade.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email=email, name="Kim"))
    )
    return found.id


async def programme(trade: Trade, **fields: Any) -> Programme:
    """The shop's programme."""
    data = msgspec.convert({"channel": str(trade.web.id), **PROGRAMME, **fields}, ProgrammeInput)
    return await trade.db.transaction(lambda tx: credit.set_programme(tx, data))


def by_card(code: str, amount: int | None = None, *, hold: bool = False) -> PaymentInput:
    """A payment by gift card."""
    return PaymentInput(provider="gift_card", amount=amount, token=("hold:" if hold else "") + code)


async def balance_of(db: Database, card: UUID) -> tuple[int, int]:
    """What is on a card, and what of it is held."""
    found = await credit.get(db, card)
    return found.balance, found.held


async def books_are_sound(db: Database) -> None:
    """Every check of the book holds."""
    for check in checks.CHECKS:
        finding = await check.look(db)
        assert finding.status == "ok", f"{check.name}: {finding.message}"
