"""The page behind the code on a receipt: what it says, and whether we have signed it. For anybody who holds the receipt."""

from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath

from samlad import channels, documents, orders, stock
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos.pay import tax_rows
from samlad.faces.storefront import limits
from samlad.faces.storefront.orders import address_lines
from samlad.kernel.http import database_of


@get("/receipt/{token:str}")
async def receipt_page(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """The receipt, and whether its signature is right. Who bought it is not told.

    Raises:
        TooMany: this address has checked too many.
    """
    limits.receipts.check(limits.who(request))
    database = database_of(request)
    said = await documents.check_receipt(database, documents.token_in(token) or "")
    known = {channel.code: channel for channel in await channels.cached_all(database)}
    channel = known.get(said.store) if said else None
    head = await orders.by_number(database, channel.id, said.number) if said and channel else None
    order = None
    if head is not None:
        order = msgspec.structs.replace(await orders.read(database, head.id), email=None)
    place = await stock.location(database, order.location) if order and order.location else None
    return face.page(
        request,
        "pos/checked.html",
        status_code=200 if said else 404,
        time_zone=channel.time_zone if channel else "UTC",
        headers={"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"},
        shop_name=channel.name if channel else "Samlad",
        said=said,
        is_same=order is not None and said is not None and order.total == said.total,
        came_back=sum(line.returned for line in order.lines) if order else 0,
        order=order,
        tip=None,
        is_new=True,
        store_name=channel.name if channel else "",
        store_lines=address_lines(place.address) if place else [],
        taxes=tax_rows(order, face.locale_of(request)) if order else [],
        receipt_footer=channel.setting("receipt_footer") if channel else "",
        served_by=None,
        check_code=None,
    )


@get("/.well-known/samlad-receipts")
async def keys(request: AnyRequest) -> Response[Any]:
    """The public keys that receipts of this installation are signed with (JSON Web Key Set)."""
    return Response(
        await documents.receipt_keys(database_of(request)), headers={"Cache-Control": "public, max-age=3600"}
    )


routes = [Router(path="/", include_in_schema=False, route_handlers=[receipt_page, keys])]
