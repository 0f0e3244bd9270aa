"""Segments: the list, making and changing one by rows of conditions or as JSON, and comparing up to five."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get

from samlad.audiences import store
from samlad.audiences.model import Overlap, Segment, SizeOn
from samlad.audiences.permissions import READ
from samlad.faces.admin import segment_names as names
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.page import AnyRequest, require, translated, words
from samlad.kernel.clock import now
from samlad.kernel.http import database_of

DAYS = 90
MOST_COMPARED = 5


@get("/admin/segments")
async def list_segments(request: AnyRequest) -> Response[Any]:
    """All segments with their size; where there are none, templates to begin with."""
    require(request, READ)
    database = database_of(request)
    found = await shown(request, database, store.LISTING)
    courses = await store.sizes_of(database, [each.id for each in found.items], DAYS)
    lines = {
        each.id: [size for _day, size in _daily(courses.get(each.id, []), each.size)] for each in found.items
    }
    return await admin_page(
        request,
        "admin/segments.html",
        list=found,
        names=names,
        kinds=translated(request, names.kind),
        lines=lines,
        templates=names.TEMPLATES,
    )


def _daily(sizes: Sequence[SizeOn], size: int) -> list[tuple[date, int]]:
    """The size on each day since the first that is known, also on those on which it stayed the same."""
    if not sizes:
        return []
    there = {each.day: each.size for each in sizes}
    day, last, current = sizes[0].day, now().date(), size
    found: list[tuple[date, int]] = []
    while day <= last:
        current = there.get(day, current if found else size)
        found.append((day, current))
        day += timedelta(days=1)
    return found


async def size_plot(request: AnyRequest, segment: Segment) -> dict[str, Any] | None:
    """How its size went, day by day; None before there was a second day."""
    _ = words(request)
    daily = _daily(await store.sizes(database_of(request), segment.id, DAYS), segment.size)
    if len(daily) < 2:
        return None
    option = {
        "xAxis": {"type": "category", "data": [f"{day:%m-%d}" for day, _size in daily]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"type": "line", "step": "end", "name": _("People"), "data": [size for _day, size in daily]}
        ],
    }
    summary = _("From %(first)s to %(last)s people since %(day)s.") % {
        "first": daily[0][1],
        "last": daily[-1][1],
        "day": daily[0][0],
    }
    return {"option": option, "summary": summary}


# -- comparing -----------------------------------------------------------------------------------------------------------


@get("/admin/segments/overlap")
async def overlap(request: AnyRequest) -> Response[Any]:
    """How many people are in exactly which of up to five segments."""
    require(request, READ)
    database = database_of(request)
    every = await store.active(database)
    by_id = {str(each.id): each for each in every}
    wanted = [each for each in dict.fromkeys(request.query_params.getall("segment", [])) if each in by_id]
    chosen = [by_id[each] for each in wanted[:MOST_COMPARED]]
    parts = await store.overlap(database, [each.id for each in chosen]) if len(chosen) > 1 else []
    return await admin_page(
        request,
        "admin/segment_overlap.html",
        every=every,
        pairs=[(str(each.id), each.name) for each in sorted(every, key=lambda each: each.name.lower())],
        chosen=chosen,
        parts=parts,
        names={each.id: each.name for each in every},
        people=sum(part.people for part in parts),
        shares=_shares(chosen, parts),
        plot=_overlap_plot(request, parts, {each.id: each.name for each in every}),
        most=MOST_COMPARED,
    )


def _shares(chosen: Sequence[Segment], parts: Sequence[Overlap]) -> list[tuple[Segment, int, list[int]]]:
    """For each segment how many are in it, and how many of these are in each of the others."""
    both = [
        [sum(part.people for part in parts if {a.id, b.id} <= set(part.segments)) for b in chosen]
        for a in chosen
    ]
    return [(each, both[row][row], both[row]) for row, each in enumerate(chosen)]


def _overlap_plot(request: AnyRequest, parts: Sequence[Any], known: dict[UUID, str]) -> dict[str, Any] | None:
    if not parts:
        return None
    _ = words(request)
    labels = [" + ".join(known[each] for each in part.segments) for part in parts]
    option = {
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "category", "inverse": True, "data": labels},
        "series": [{"type": "bar", "name": _("People"), "data": [part.people for part in parts]}],
    }
    summary = "; ".join(f"{label}: {part.people}" for label, part in zip(labels, parts, strict=True))
    return {"option": option, "summary": summary}


HANDLERS = [list_segments, overlap]
