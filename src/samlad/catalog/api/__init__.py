"""HTTP of the catalogue."""

from litestar import Router

from samlad.catalog.api import media, pricing, products, shopping, structure, transfer

routes: list[Router] = [
    products.router, structure.router, pricing.router, shopping.router, transfer.router, media.router,
]  # fmt: skip
