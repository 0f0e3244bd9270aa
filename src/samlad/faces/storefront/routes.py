"""Every address of the storefront."""

from litestar import Router

from samlad.faces.storefront import browse, cart, checkout, machines, orders, product, sharing, stores

routes = [
    Router(
        path="/",
        include_in_schema=False,
        route_handlers=[
            *browse.handlers,
            *product.handlers,
            *cart.handlers,
            *sharing.handlers,
            *checkout.handlers,
            *orders.handlers,
            *stores.handlers,
            *machines.handlers,
        ],
    )
]
