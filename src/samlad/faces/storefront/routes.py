"""Every address of the storefront."""

from litestar import Router

from samlad.faces.storefront import (
    account,
    browse,
    cart,
    checkout,
    cookies,
    joining,
    machines,
    offers,
    orders,
    parcels,
    paying,
    preferences,
    product,
    sharing,
    stores,
)

routes = [
    Router(
        path="/",
        include_in_schema=False,
        route_handlers=[
            *browse.handlers,
            *product.handlers,
            *cart.handlers,
            *offers.handlers,
            *sharing.handlers,
            *checkout.handlers,
            *paying.handlers,
            *orders.handlers,
            *parcels.handlers,
            *stores.handlers,
            *preferences.handlers,
            *cookies.handlers,
            *machines.handlers,
            *joining.handlers,
            *account.handlers,
        ],
    )
]
