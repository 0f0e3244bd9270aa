"""Every address of the storefront."""

from litestar import Router

from samlad.faces.storefront import browse, cart, checkout, machines, orders, parcels, product, stores

routes = [
    Router(
        path="/",
        include_in_schema=False,
        route_handlers=[
            *browse.handlers,
            *product.handlers,
            *cart.handlers,
            *checkout.handlers,
            *orders.handlers,
            *parcels.handlers,
            *stores.handlers,
            *machines.handlers,
        ],
    )
]
