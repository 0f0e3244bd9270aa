"""Who sends something back: the member whose order it is, or whoever has its link. What they do is the same."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from samlad.accounts import SignedIn
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import member
from samlad.faces.storefront.account.frame import HEADERS, account_page
from samlad.faces.storefront.account.orders import own_order
from samlad.faces.storefront.orders import of_link
from samlad.faces.storefront.place import shopper, show
from samlad.kernel.context import Actor, Context
from samlad.orders import CHANGE, Order


class Sender(msgspec.Struct, frozen=True):
    """Somebody with their order. ``context`` has the permission to change it, lent for this one; photographs wait under
    ``key``. ``order_href`` is the page of the order, ``returns_href`` what a return's id is put behind."""

    order: Order
    key: UUID
    context: Context
    order_href: str
    returns_href: str
    signed: SignedIn | None = None

    async def page(
        self, request: AnyRequest, channel: Channel, template: str, *, status: int = 200, **context: Any
    ) -> Response[Any]:
        """A page of the account, or the same page for who has none."""
        _ = face.words(request)
        own: dict[str, Any] = {"order_href": self.order_href, "returns_href": self.returns_href}
        crumb = (self.order.number, self.order_href)
        if self.signed is not None:
            crumbs = [(_("Your orders"), "/account/orders"), crumb]
            return await account_page(
                request, channel, self.signed, template, status=status, crumbs=crumbs, **own, **context
            )
        return await show(
            request,
            channel,
            f"storefront/account/{template}.html",
            status=status,
            headers=HEADERS | {"Referrer-Policy": "no-referrer"},
            tabs=[],
            signed=None,
            crumbs=[crumb],
            **own,
            **context,
        )


async def of_member(request: AnyRequest, channel: Channel, order_id: UUID) -> Sender:
    """Who is signed in, with an order of theirs.

    Raises:
        NotFound: it is somebody else's.
    """
    signed = await member.require(request, channel)
    return Sender(
        await own_order(request, signed, order_id),
        signed.customer.id,
        member.acting(request, channel, signed, CHANGE),
        f"/account/orders/{order_id}",
        "/account/returns",
        signed,
    )


async def of_guest(request: AnyRequest, channel: Channel, link: str) -> Sender:
    """Whoever has the link of an order.

    Raises:
        NotFound: we did not sign it.
    """
    order = await of_link(request, link)
    actor = Actor(kind="guest", permissions=frozenset({CHANGE}))
    context = msgspec.structs.replace(shopper(request, channel), actor=actor)
    return Sender(order, order.id, context, f"/order/{link}", f"/order/{link}/returns")
