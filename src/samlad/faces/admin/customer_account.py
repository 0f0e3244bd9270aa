"""The account of a customer, on the customer's page: where they are signed in, a link to sign in, and out everywhere."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath

from samlad import accounts, customers, stock
from samlad.customers import Customer
from samlad.faces import shop_link
from samlad.faces.admin import customer_blocks
from samlad.faces.admin.customer_blocks import Block
from samlad.faces.page import AnyRequest, change, go, locale_of, require, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound

MEANS = {
    "link": marked("by a link"),
    "code": marked("by a code from the till"),
    "password": marked("by password"),
    "passkey": marked("by passkey"),
}


async def _account(request: AnyRequest, customer: Customer) -> dict[str, Any] | None:
    actor, database = actor_of(request), database_of(request)
    if not actor.may(accounts.READ):
        return None
    found, devices = await accounts.of_customer(database, actor, customer.id)
    shop = await shop_link.shop_of(request, customer.pool)
    places = {place.id: place.name for place in await stock.locations(database)}
    return {
        "accounts_known": found,
        "account_devices": devices,
        "account_means": MEANS,
        "account_facts": [
            *(
                (words(request)("Favourite store"), places[each.store])
                for each in found
                if each.store in places
            ),
            *((each.name, each.size) for each in await accounts.sizes(database, [a.id for a in found])),
        ],
        "account_may_write": shop is not None and shop_link.mails_go_out(request, shop),
    }


async def _customer(request: AnyRequest, customer_id: UUID) -> Customer:
    found = await customers.current(database_of(request), customer_id)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


@post("/admin/customers/{customer_id:uuid}/account/link", status_code=303)
async def send_link(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Send them a link to sign in."""
    require(request, accounts.HELP)
    customer, _ = await _customer(request, customer_id), words(request)
    here = f"/admin/customers/{customer.id}"
    shop = await shop_link.shop_of(request, customer.pool)
    base = shop_link.base_url(request, shop) if shop else None
    if shop is None or base is None or not shop_link.mails_go_out(request, shop):
        return go(request, here, _("This shop sends no mails yet."), kind="warning")
    locale = customer.locale or locale_of(request)
    try:
        email = await change(
            request,
            lambda tx: accounts.send_to_customer(
                tx, request.app.state.runtime.vault, customer, shop, base_url=base, locale=locale
            ),
        )
    except NotFound:
        return go(request, here, _("We know no e-mail address of theirs."), kind="warning")
    return go(request, here, _("The link is on its way to %(email)s.") % {"email": email})


@post("/admin/customers/{customer_id:uuid}/account/end", status_code=303)
async def end_sessions(request: AnyRequest, customer_id: FromPath[UUID]) -> Response[Any]:
    """Sign them out everywhere."""
    require(request, accounts.HELP)
    customer, _ = await _customer(request, customer_id), words(request)
    await change(request, lambda tx: accounts.end_all(tx, customer.id))
    return go(request, f"/admin/customers/{customer.id}", _("They are signed out everywhere."))


customer_blocks.add(Block(place=35, template="admin/customer_account.html", load=_account))

HANDLERS = (send_link, end_sessions)
