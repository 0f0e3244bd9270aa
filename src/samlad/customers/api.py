"""HTTP: customers. Reading one is in the package that knows everything about them, `samlad.profile`; as one path has one
router, ``change_customer`` is routed there."""

from uuid import UUID

from litestar import Response, Router, get, patch, post
from litestar.params import FromPath, JSONBody

from samlad.channels import Resource
from samlad.customers import service, store
from samlad.customers.api_notes import NOTES
from samlad.customers.model import Customer, CustomerChange, CustomerRow, NewCustomer
from samlad.customers.permissions import READ
from samlad.kernel.database import Tx
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, write
from samlad.kernel.listing import DEFAULT_LIMIT, Cursor, FileFormat, Limit, ListQuery, Page, Sorting, Wanted
from samlad.stock import reach


@get("/customers", summary="List customers")
async def list_customers(
    request: AnyRequest,
    q: Wanted = None,
    phone: Wanted = None,
    country: Wanted = None,
    pool: Wanted = None,
    tag: Wanted = None,
    sort: Sorting = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    as_format: FileFormat = "json",
) -> Response[Page[CustomerRow]]:
    """All customers with how much they ordered, newest first.

    ``q`` is a part of a name, e-mail address, phone number or external id, or the beginnings of several of their words in any
    order; ``phone`` finds a number however it is
    written; ``tag`` finds who has any of these tags; sort by created_at, name, orders or
    last_order_at.
    """
    actor_of(request).require(READ)
    pools = await reach.pool_filter(database_of(request), actor_of(request), Resource.CUSTOMERS, pool)
    query = ListQuery(
        limit=limit,
        cursor=cursor,
        sort=sort,
        filters={"q": q, "phone": phone, "country": country, "pool": pools, "tag": tag},
    )
    return await store.LISTING.answer(
        database_of(request), query, as_csv=as_format == "csv", name="customers"
    )


@post("/customers", summary="Add a customer", status_code=201)
async def create_customer(request: AnyRequest, data: JSONBody[NewCustomer]) -> Response[Customer]:
    """Add somebody to the customers of a channel. An external id or e-mail address that is taken answers 409.

    A name and a telephone number are enough, if nobody has that number.
    """
    return await write(request, lambda tx: service.create(tx, data), status=201)


@patch("/customers/{customer_id:uuid}", summary="Change a customer")
async def change_customer(
    request: AnyRequest, customer_id: FromPath[UUID], data: JSONBody[CustomerChange]
) -> Response[Customer]:
    """Change some details; ``If-Match`` refuses the change if somebody else was quicker.

    An id whose customer is the same person as another changes the one that stands for both, as reading it does.
    """
    version = if_match(request)

    async def change(tx: Tx) -> Customer:
        current = await store.resolve(tx, customer_id)
        return await service.change(tx, current or customer_id, data, version=version)

    return await write(request, change)


routes = [
    Router(
        path="/api",
        route_handlers=[list_customers, create_customer, *NOTES],
        tags=["Customers"],
    )
]
