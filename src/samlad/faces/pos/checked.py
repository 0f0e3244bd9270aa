"""The page behind the code on a receipt: what it says, and whether we have signed it. For anybody who holds the receipt."""

from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath

from samlad import channels, documents, orders, stock, tills
from samlad.channels import Channel
from samlad.documents import SignedReceipt
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos import printing
from samlad.faces.pos.pay import tax_rows
from samlad.faces.storefront import limits
from samlad.faces.storefront.orders import address_lines
from samlad.kernel.http import database_of
from samlad.orders import Order
from samlad.tills import Checked


@get("/receipt/{token:str}")
async def receipt_page(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """The receipt, and whether its signature is right. Who bought it is not told.

    Raises:
        TooMany: this address has checked too many.
    """
    limits.receipts.check(limits.who(request))
    database = database_of(request)
    if (code := tills.code_in(token)) is not None:
        return await _of_till(request, await tills.check_receipt(database, code))
    said = await documents.check_receipt(database, documents.token_in(token) or "")
    channel = await channels.cached_by_code(database, said.store) if said else None
    head = await orders.by_number(database, channel.id, said.number) if said and channel else None
    order = await orders.read(database, head.id) if head is not None else None
    return await _page(
        request,
        said,
        channel,
        order,
        is_same=order is not None and said is not None and order.total == said.total,
    )


async def _of_till(request: AnyRequest, checked: Checked | None) -> Response[Any]:
    """What a till has signed without network: the sale may be an order by now, or not be here yet."""
    if checked is None:
        return await _page(request, None, None, None, is_same=False)
    said, came = checked.receipt, checked.came
    receipt = SignedReceipt(
        store=checked.key.channel, number=said.number, at=said.at, total=said.total, currency=said.currency
    )
    is_true = came is not None and came.order is not None and checked.is_same
    order = await orders.read(database_of(request), came.order) if is_true and came and came.order else None
    channel = await channels.cached_by_code(database_of(request), checked.key.channel)
    is_same = order is None or order.total == said.total
    return await _page(request, receipt, channel, order, is_same=is_same, checked=checked)


async def _page(
    request: AnyRequest,
    said: SignedReceipt | None,
    channel: Channel | None,
    order: Order | None,
    *,
    is_same: bool,
    checked: Checked | None = None,
) -> Response[Any]:
    if order is not None:
        order = msgspec.structs.replace(order, email=None)
    place = await stock.location(database_of(request), order.location) if order and order.location else None
    return face.page(
        request,
        "pos/checked.html",
        status_code=200 if said else 404,
        time_zone=channel.time_zone if channel else "UTC",
        headers={"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"},
        shop_name=channel.name if channel else "Samlad",
        said=said,
        checked=checked,
        till_name=said.number[:4] if said and checked else "",
        is_same=is_same,
        came_back=sum(line.returned for line in order.lines) if order else 0,
        order=order,
        serials=await orders.serials_of(database_of(request), order) if order else {},
        tip=None,
        is_new=True,
        store_name=channel.name if channel else "",
        store_lines=address_lines(place.address) if place else [],
        taxes=tax_rows(order, face.locale_of(request)) if order else [],
        receipt_footer=channel.setting("receipt_footer") if channel else "",
        served_by=None,
        provider_names=printing.PROVIDERS,
        given_back={},
        check_code=None,
    )


@get("/.well-known/samlad-receipts")
async def keys(request: AnyRequest) -> Response[Any]:
    """The public keys that receipts of this installation are signed with (JSON Web Key Set)."""
    return Response(
        await documents.receipt_keys(database_of(request)), headers={"Cache-Control": "public, max-age=3600"}
    )


routes = [Router(path="/", include_in_schema=False, route_handlers=[receipt_page, keys])]
