"""Every address of the storefront."""

from litestar import Router

from samlad.faces.storefront import browse, cart, checkout, machines, offers, orders, product, stores

routes = [
    Router(
        path="/",
        include_in_schema=False,
        route_handlers=[
            *browse.handlers,
            *product.handlers,
            *cart.handlers,
            *offers.handlers,
            *checkout.handlers,
            *orders.handlers,
            *stores.handlers,
            *machines.handlers,
        ],
    )
]
