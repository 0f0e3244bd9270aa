"""What a store has sold today."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath

from samlad import orders
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import clerk_of, show, till_of
from samlad.kernel.clock import day_bounds, local_day, now
from samlad.kernel.http import database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput

PAGE_LENGTH = 50


@get("/{code:str}/day")
async def day_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The sales of today, the last first."""
    till, database, _ = await till_of(request, code), database_of(request), face.words(request)
    clerk_of(request).require(orders.READ)
    begin, _end = day_bounds(local_day(now(), till.channel.time_zone), till.channel.time_zone)
    filters = {"channel": till.channel.code, "from": begin.isoformat()}
    cursor = request.query_params.get("cursor")
    try:
        page = await orders.LISTING.page(
            database, ListQuery(limit=PAGE_LENGTH, cursor=cursor, filters=filters)
        )
    except InvalidInput:  # an old cursor
        return face.go(request, f"{till.base}/day")
    count = await orders.LISTING.count(database, ListQuery(filters=filters))
    texts = {
        "placed": _("Placed"),
        "paid": _("Paid"),
        "partially_fulfilled": _("Partly handed over"),
        "fulfilled": _("Sold"),
        "cancelled": _("Cancelled"),
        "called_off": _("Cancelled"),
        "returned": _("Taken back"),
    }
    return show(
        request,
        till,
        "pos/day.html",
        orders=page.items,
        count=count,
        next_href=f"{till.base}/day?{urlencode({'cursor': page.next_cursor})}" if page.next_cursor else None,
        status_texts=texts,
        status_kinds={"fulfilled": "success", "returned": "warning", "cancelled": "danger"},
    )


handlers = [day_page]
