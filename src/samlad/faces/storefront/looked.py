"""What somebody looks at, told through the door that everybody reports by, of visitors who have a cart or an offer already.

The page does not wait for it. What is searched for is never told with who did. Where the shop asks for cookie categories,
nothing is told of a browser that did not agree to be counted.
"""

from typing import Any
from uuid import UUID

from samlad.carts import CartView
from samlad.channels import Channel
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, cookies
from samlad.kernel.http import database_of
from samlad.tracking import own
from samlad.tracking.vocabulary import decimal

CATEGORY = "performance"
"""Of cookies: what is looked at is statistics."""


def at(request: AnyRequest, channel: Channel, name: str, properties: dict[str, Any]) -> None:
    """Tell that somebody looks at something; ``name`` is one of Segment's."""
    if channel.setting("cookie_banner") and CATEGORY not in cookies.granted(request):
        return
    held = basket.read(request)
    own.viewed(
        database_of(request),
        channel,
        properties,
        cart=held.cart if held else None,
        visitor=basket.visitor(request),
        name=name,
    )


def at_list(
    request: AnyRequest, channel: Channel, category: str, products: list[UUID], filters: dict[str, list[str]]
) -> None:
    """A list of a category is looked at, with its first products, or filtered."""
    properties: dict[str, Any] = {
        "list_id": category,
        "category": category,
        "products": [
            {"product_id": str(product), "position": place} for place, product in enumerate(products, 1)
        ],
    }
    if filters:
        properties["filters"] = [
            {"type": name, "value": value} for name, values in filters.items() for value in values
        ]
    at(request, channel, "Product List Filtered" if filters else "Product List Viewed", properties)


def at_cart(
    request: AnyRequest, channel: Channel, cart: CartView, name: str = "Cart Viewed", **more: Any
) -> None:
    """A cart is looked at, or its checkout."""
    products = [
        {
            "product_id": str(line.variant),
            "sku": line.sku,
            "quantity": line.quantity,
            "price": decimal(line.unit_price, cart.currency),
        }
        for line in cart.lines
    ]
    at(
        request,
        channel,
        name,
        {"cart_id": str(cart.id), "currency": cart.currency, "products": products} | more,
    )
