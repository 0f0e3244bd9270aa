"""HTTP: addresses from which mails came back."""

from uuid import UUID

from litestar import Response, Router, get, patch
from litestar.params import FromPath, JSONBody

from samlad.consent import bounces
from samlad.consent.bounces import BounceChange
from samlad.consent.permissions import MAIL_READ
from samlad.kernel import mailboxes
from samlad.kernel.http import AnyRequest, actor_of, database_of, write
from samlad.kernel.listing import (
    ASKED,
    FromAsked,
    Page,
    States,
    Wanted,
)
from samlad.kernel.mailboxes import BouncedAddress


@get("/mail/bounces", summary="List addresses from which mails came back", dependencies=ASKED)
async def list_bounces(
    request: AnyRequest,
    asked: FromAsked,
    states: States = None,
    q: Wanted = None,
) -> Response[Page[BouncedAddress]]:
    """The latest first. ``state``: stopped (nothing is sent there), written; ``q`` is a part of the address.

    Sort by last_at or address.
    """
    actor_of(request).require(MAIL_READ)
    query = asked.query({"state": states, "q": q})
    return await mailboxes.LISTING.answer(database_of(request), query, as_csv=asked.as_csv, name="bounces")


@patch("/mail/bounces/{bounce_id:uuid}", summary="Say whether mails go to an address")
async def change_bounce(
    request: AnyRequest, bounce_id: FromPath[UUID], data: JSONBody[BounceChange]
) -> Response[BouncedAddress]:
    """Write to an address again, or stop that. A mail that comes back for good stops it anew."""
    return await write(request, lambda tx: bounces.decide(tx, bounce_id, data))


routes = [Router(path="/api", route_handlers=[list_bounces, change_bounce], tags=["Consent"])]
