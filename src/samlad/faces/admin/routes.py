"""All handlers of the admin pages."""

from litestar import Router

from samlad.faces.admin import (
    books,
    books_days,
    channels,
    customers,
    delivery,
    fulfilments,
    gift_cards,
    imports,
    keys,
    loyalty,
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
    stock_buying,
    stock_places,
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
            *fulfilments.HANDLERS,
            *products.HANDLERS,
            *imports.HANDLERS,
            *product.HANDLERS,
            *stock.HANDLERS,
            *stock_buying.HANDLERS,
            *stock_places.HANDLERS,
            *customers.HANDLERS,
            *gift_cards.HANDLERS,
            *loyalty.HANDLERS,
            *books.HANDLERS,
            *books_days.HANDLERS,
            *promotions.HANDLERS,
            *search.HANDLERS,
            *channels.HANDLERS,
            *delivery.HANDLERS,
            *staff.HANDLERS,
            *keys.HANDLERS,
            *profile.HANDLERS,
            *system.HANDLERS,
        ],
        include_in_schema=False,
    )
]
