"""What mails report: the picture that tells of opening, and links of the shop that come by way of here.

They work for everybody who has them. Something is noted only if whom the mail went to agrees to that now, and what programs
open in a person's place is marked as theirs. What is behind a link is never asked for: it is signed, and leads into this shop.
"""

import base64
from typing import Any

from litestar import Response, route
from litestar.params import FromPath

from samlad import channels, consent
from samlad.consent import reporting
from samlad.consent.reporting import Report
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits
from samlad.kernel.clock import now
from samlad.kernel.http import database_of
from samlad.tracking import own

DOT = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@route("/mail/o/{text:str}", http_method=["GET", "HEAD"])
async def opened(request: AnyRequest, text: FromPath[str]) -> Response[bytes]:
    """The picture; it comes also where nothing is noted."""
    limits.searches.check(limits.who(request))
    report = reporting.read(request.app.state.runtime.vault, text)
    await _note(request, report, "Email Opened")
    return Response(DOT, media_type="image/gif", headers=NOT_KEPT)


@route("/mail/c/{text:str}", http_method=["GET", "HEAD"])
async def clicked(request: AnyRequest, text: FromPath[str]) -> Response[Any]:
    """On to where the link leads."""
    limits.searches.check(limits.who(request))
    report = reporting.read(request.app.state.runtime.vault, text)
    await _note(request, report, "Email Link Clicked")
    return Response(
        b"", status_code=303, media_type="text/plain", headers=NOT_KEPT | {"Location": report.target or "/"}
    )


async def _note(request: AnyRequest, report: Report, name: str) -> None:
    database = database_of(request)
    if not await consent.allowed(database, [report.node], reporting.PURPOSE, report.channel):
        return
    headers = request.headers
    by = reporting.machine(
        headers.get("user-agent", ""),
        purpose=" ".join(headers.get(each, "") for each in ("sec-purpose", "purpose", "x-purpose", "x-moz")),
        method=request.method,
        seconds=now().timestamp() - report.sent,
    )
    properties: dict[str, Any] = {
        "email_id": str(report.mail),
        "email_kind": report.kind,
        "is_machine": by is not None,
    }
    if by is not None:
        properties["machine"] = by
    if report.target:
        properties["link_url"] = reporting.shown(report.target)
    channel = await channels.cached(database, report.channel)
    own.mailed(database, channel, report.node, name, properties, message=report.mail)


handlers = [opened, clicked]
