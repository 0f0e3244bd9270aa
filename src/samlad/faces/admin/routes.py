"""All handlers of the admin pages."""

from litestar import Router

from samlad.faces.admin import (
    channels,
    customers,
    imports,
    keys,
    orders,
    overview,
    product,
    products,
    profile,
    promotions,
    search,
    sign_in,
    staff,
    stock,
    system,
    undo,
)

routes: list[Router] = [
    Router(
        "/",
        route_handlers=[
            *sign_in.HANDLERS,
            *undo.HANDLERS,
            *overview.HANDLERS,
            *orders.HANDLERS,
            *products.HANDLERS,
            *imports.HANDLERS,
            *product.HANDLERS,
            *stock.HANDLERS,
            *customers.HANDLERS,
            *promotions.HANDLERS,
            *search.HANDLERS,
            *channels.HANDLERS,
            *staff.HANDLERS,
            *keys.HANDLERS,
            *profile.HANDLERS,
            *system.HANDLERS,
        ],
        include_in_schema=False,
    )
]
