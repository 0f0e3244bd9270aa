"""What a customer is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Email = Annotated[
    str,
    msgspec.Meta(
        max_length=254, pattern=r"^[^@\s\x00]{1,64}@[^@\s\x00]+\.[^@\s\x00.]+$", examples=["kim@example.org"]
    ),
]
Country = Annotated[
    str,
    msgspec.Meta(pattern="^[A-Z]{2}$", max_length=2, description="ISO 3166-1 alpha-2", examples=["SE", "GB"]),
]
Locale = Annotated[str, msgspec.Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$", examples=["sv", "en-GB"])]


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as stored."""

    id: UUID
    pool: UUID
    external_id: str | None
    email: str | None
    name: str | None
    phone: str | None
    country: str | None
    locale: str | None
    group_name: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """What orders add to (or take from) a customer's sum. ``spent`` is in minor units of ``currency``."""

    customer: UUID
    currency: str
    orders: int
    spent: int
    last_order_at: datetime


class CustomerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the customer list. ``spent`` is by currency, in minor units."""

    id: UUID
    external_id: str | None
    name: str | None
    email: str | None
    phone: str | None
    country: str | None
    group_name: str | None
    orders: int
    spent: dict[str, int]
    last_order_at: datetime | None
    created_at: datetime


class PersonInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Who somebody is. At least an external id or an e-mail address."""

    external_id: Annotated[
        Text | None, msgspec.Meta(description="Your own number for them", examples=["17850"])
    ] = None
    email: Email | None = None
    name: Annotated[Text | None, msgspec.Meta(examples=["Kim Berg"])] = None
    phone: Annotated[Text | None, msgspec.Meta(examples=["+46 70 123 45 67"])] = None
    country: Country | None = None
    locale: Locale | None = None
    group_name: Annotated[Text | None, msgspec.Meta(description="Customer group for prices")] = None


class NewCustomer(PersonInput, kw_only=True):
    """A person, and the channel whose pool of customers they join. A name and a telephone number are enough."""

    channel: Annotated[UUID, msgspec.Meta(description="Id of the channel they are met in")]


class CustomerChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is to be different; what is left out stays, ``null`` empties."""

    external_id: Text | msgspec.UnsetType | None = msgspec.UNSET
    email: Email | msgspec.UnsetType | None = msgspec.UNSET
    name: Text | msgspec.UnsetType | None = msgspec.UNSET
    phone: Text | msgspec.UnsetType | None = msgspec.UNSET
    country: Country | msgspec.UnsetType | None = msgspec.UNSET
    locale: Locale | msgspec.UnsetType | None = msgspec.UNSET
    group_name: Text | msgspec.UnsetType | None = msgspec.UNSET
