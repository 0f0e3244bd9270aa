"""Taking the people of a segment out of the house: for what, and how many have agreed to that."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from samlad import channels, consent
from samlad.audiences import exporting, segments
from samlad.audiences.permissions import EXPORT
from samlad.faces.admin.lists import href
from samlad.faces.admin.shell import admin_page
from samlad.faces.page import AnyRequest, locale_of, require, words
from samlad.kernel.http import database_of
from samlad.kernel.problems import InvalidInput, NotFound


@get("/admin/segments/{segment_id:uuid}/export")
async def show_export(request: AnyRequest, segment_id: FromPath[UUID]) -> Response[Any]:
    """Ask for what; then say how many stay, and offer the files."""
    require(request, EXPORT)
    database = database_of(request)
    segment = await segments.get(database, segment_id)
    purpose, channel = request.query_params.get("purpose") or "", request.query_params.get("channel") or None
    found = None
    if purpose:
        try:
            where = None if channel is None else UUID(channel)
            found = await exporting.leaving(database, segment_id, purpose, where)
        except (InvalidInput, ValueError):
            raise NotFound("There is no such purpose or channel.") from None
    chosen = {"purpose": purpose, "channel": channel}
    here = f"/api/segments/{segment_id}"
    return await admin_page(
        request,
        "admin/segment_export.html",
        segment=segment,
        found=found,
        chosen=chosen,
        purposes=[
            *purpose_choices(request, await consent.asked_for(database)),
            (exporting.WITHOUT, words(request)("Something that needs no consent")),
        ],
        channels=[(str(one.id), one.name) for one in await channels.cached_all(database)],
        files={
            "csv": href(f"{here}/members", {**chosen, "format": "csv"}),
            "google": href(f"{here}/ads/google", chosen),
            "meta": href(f"{here}/ads/meta", chosen),
        },
        has_ads=purpose != exporting.WITHOUT,
    )


def purpose_choices(request: AnyRequest, purposes: list[consent.Purpose]) -> list[tuple[str, str]]:
    """What people are asked for, by name."""
    locale = locale_of(request)
    return [(each.code, each.names.get(locale) or each.names.get("en") or each.code) for each in purposes]


HANDLERS = [show_export]
