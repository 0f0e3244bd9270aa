"""Who is signed in to the shop, as a customer: a clerk who is signed in to the admin is nobody here."""

from uuid import UUID, uuid4

import msgspec

from samlad.channels import Channel
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket
from samlad.faces.storefront.place import shopper
from samlad.kernel.context import Context
from samlad.kernel.http import actor_of, context_of


def signed_in(request: AnyRequest) -> UUID | None:
    """The customer who is signed in, if somebody is."""
    actor = actor_of(request)
    return actor.id if actor.kind == "customer" else None


def context(request: AnyRequest, channel: Channel) -> Context:
    """The context of what somebody does in the shop: as the customer who is signed in, else as a guest."""
    if signed_in(request) is None:
        return shopper(request, channel)
    return msgspec.structs.replace(context_of(request), channel=channel.id)


def voter(request: AnyRequest) -> tuple[UUID, bool]:
    """Who votes: the customer, or this browser by the random id that it carries; whether that id is new."""
    known = signed_in(request) or basket.visitor(request)
    return (known, False) if known is not None else (uuid4(), True)
