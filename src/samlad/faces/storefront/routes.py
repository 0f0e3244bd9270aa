"""Every address of the storefront."""

from litestar import Router

from samlad.faces.storefront import (
    account,
    appointments,
    back_again,
    brand,
    browse,
    cart,
    checkout,
    cookies,
    digital_link,
    feeds,
    finding,
    joining,
    machines,
    mail_reports,
    offers,
    orders,
    parcels,
    paying,
    preferences,
    product,
    reviewing,
    sharing,
    start,
    stores,
)

routes = [
    Router(
        path="/",
        include_in_schema=False,
        route_handlers=[
            *start.handlers,
            *brand.handlers,
            *browse.handlers,
            *product.handlers,
            *reviewing.handlers,
            *back_again.handlers,
            *cart.handlers,
            *offers.handlers,
            *sharing.handlers,
            *checkout.handlers,
            *paying.handlers,
            *orders.handlers,
            *finding.handlers,
            *parcels.handlers,
            *stores.handlers,
            *appointments.handlers,
            *preferences.handlers,
            *cookies.handlers,
            *machines.handlers,
            *mail_reports.handlers,
            *feeds.handlers,
            *digital_link.handlers,
            *joining.handlers,
            *account.handlers,
        ],
    )
]
