"""Whoever acts in the shop beside cart and checkout: a customer who is signed in (`member`), else somebody with a browser."""

from uuid import UUID, uuid4

from samlad.channels import Channel
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, member
from samlad.faces.storefront.place import shopper
from samlad.kernel.context import Context


async def signed_in(request: AnyRequest, channel: Channel) -> UUID | None:
    """The customer who is signed in, if somebody is. A clerk who is signed in to the admin is nobody here."""
    found = await member.signed_in(request, channel)
    return None if found is None else found.customer.id


async def context(request: AnyRequest, channel: Channel) -> Context:
    """The context of what somebody does in the shop: as the customer who is signed in, else as a guest."""
    found = await member.signed_in(request, channel)
    return shopper(request, channel) if found is None else member.acting(request, channel, found)


async def voter(request: AnyRequest, channel: Channel) -> tuple[UUID, bool]:
    """Who votes: the customer, or this browser by the random id that it carries; whether that id is new."""
    known = await signed_in(request, channel) or basket.visitor(request)
    return (known, False) if known is not None else (uuid4(), True)
