"""SQL of the tables of content: pages and their versions, brand kits, menus, redirects, pictures."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.content.brand_model import Brand
from samlad.content.model import (
    ContentPage,
    Document,
    Link,
    Live,
    Menu,
    MenuPlace,
    PageRow,
    Picture,
    Redirect,
    RedirectInput,
    Version,
)
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx, asked_once
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.rows import into

MOST_VERSIONS = 50
LONGEST_WAY = 20
"""Redirects that may follow one another."""

_PAGE = "p.id, p.channel, p.handle, p.draft, p.last_number, p.version, p.created_at, p.updated_at"
_VERSION = "v.number, v.shown_from, v.shown_until, v.withdrawn_at, v.published_at, v.published_by"
_REDIRECT = "r.id, r.channel, r.source, r.target, r.is_permanent, r.hits, r.last_hit_at, r.created_at"
_PICTURE = "c.key, c.name, c.width, c.height, c.bytes, c.created_at"

# The order of `rules.shown`.
_HOLDS = """v.withdrawn_at IS NULL AND coalesce(v.shown_from, '-infinity') <= {at}
            AND {at} < coalesce(v.shown_until, 'infinity')"""
_FIRST = "(v.shown_until IS NOT NULL) DESC, coalesce(v.shown_from, v.published_at) DESC, v.number DESC"

PAGES: Listing[PageRow] = Listing(
    row=PageRow,
    select="""p.id, p.channel, p.handle, p.updated_at, p.created_at,
        coalesce(p.draft #>> '{title,en}', p.draft #>> '{title,sv}', p.draft #>> '{title,nl}', '') AS title,
        CASE WHEN v.document IS NULL THEN 'hidden' WHEN v.document = p.draft THEN 'shown' ELSE 'changed' END AS state""",
    source=f"""content_page p LEFT JOIN LATERAL (
        SELECT v.document FROM content_version v WHERE v.page = p.id AND {_HOLDS.format(at="now()")}
        ORDER BY {_FIRST} LIMIT 1) AS v ON true""",
    key="p.id",
    sorts={
        "updated_at": Sort("p.updated_at", "timestamptz"),
        "created_at": Sort("p.created_at", "timestamptz"),
        "handle": Sort("p.handle"),
    },
    default_sort="-updated_at",
    filters={
        "channel": Filter("p.channel = (SELECT id FROM channel WHERE code = {}::text)"),
        "handle": Filter("p.handle = ANY({}::text[])", texts),
        "q": Filter("position(lower({}::text) in lower(p.handle || ' ' || (p.draft -> 'title')::text)) > 0"),
    },
)
REDIRECTS: Listing[Redirect] = Listing(
    row=Redirect,
    select=_REDIRECT,
    source="content_redirect r",
    key="r.id",
    sorts={
        "source": Sort("r.source"),
        "hits": Sort("r.hits", "bigint"),
        "created_at": Sort("r.created_at", "timestamptz"),
    },
    default_sort="source",
    filters={
        "channel": Filter("r.channel = (SELECT id FROM channel WHERE code = {}::text)"),
        "q": Filter("position({}::text in r.source || ' ' || r.target) > 0"),
    },
)
PICTURES: Listing[Picture] = Listing(
    row=Picture,
    select=_PICTURE,
    source="content_picture c",
    key="md5(c.key)::uuid",
    sorts={"created_at": Sort("c.created_at", "timestamptz"), "name": Sort("c.name")},
    default_sort="-created_at",
    filters={"q": Filter("position(lower({}::text) in lower(c.name)) > 0")},
)


def document(value: Any) -> Any:
    """A struct as the builtins that ``jsonb`` takes."""
    return msgspec.to_builtins(value)


# -- pages -----------------------------------------------------------------------------------------------------------------


async def page(reader: Reader, page_id: UUID) -> ContentPage | None:
    """A page with its latest versions, but not which is shown."""
    found = await reader.one(ContentPage, f"SELECT {_PAGE} FROM content_page p WHERE p.id = $1", page_id)
    if found is None:
        return None
    return msgspec.structs.replace(found, versions=await versions_of(reader, page_id))


async def versions_of(reader: Reader, page_id: UUID) -> list[Version]:
    """The latest versions of a page, the newest first, and every one that may still be shown."""
    return await reader.all(
        Version,
        f"""SELECT {_VERSION} FROM content_version v
            WHERE v.page = $1 AND (v.withdrawn_at IS NULL AND coalesce(v.shown_until > now(), true)
                OR v.number > (SELECT last_number FROM content_page WHERE id = $1) - {MOST_VERSIONS})
            ORDER BY v.number DESC""",
        page_id,
    )


async def page_at(reader: Reader, channel: UUID, handle: str) -> UUID | None:
    """The id of a channel's own page at a handle."""
    found: UUID | None = await reader.value(
        "SELECT id FROM content_page WHERE channel = $1 AND handle = $2", channel, handle
    )
    return found


async def insert_page(tx: Tx, page_id: UUID, channel: UUID, handle: str, draft: Document) -> bool:
    """Add a page; whether its address was free."""
    row = await tx.row(
        """INSERT INTO content_page (id, channel, handle, draft) VALUES ($1, $2, $3, $4)
           ON CONFLICT (channel, handle) DO NOTHING RETURNING id""",
        page_id,
        channel,
        handle,
        document(draft),
    )
    return row is not None


async def update_draft(tx: Tx, page_id: UUID, version: int, draft: Document) -> bool:
    """Set a draft and count the version up; False when the version is not that any more."""
    row = await tx.row(
        """UPDATE content_page SET draft = $3, version = version + 1, updated_at = now()
           WHERE id = $1 AND version = $2 RETURNING version""",
        page_id,
        version,
        document(draft),
    )
    return row is not None


async def insert_version(
    tx: Tx, page_id: UUID, version: int, shown_from: datetime | None, shown_until: datetime | None, by: str
) -> int | None:
    """Publish the draft as it is at ``version``; the number of what was published, None when it is not that any more."""
    number: int | None = await tx.value(
        """WITH taken AS (
               UPDATE content_page SET last_number = last_number + 1, version = version + 1, updated_at = now()
               WHERE id = $1 AND version = $2 RETURNING id, last_number, draft)
           INSERT INTO content_version (page, number, document, shown_from, shown_until, published_by)
           SELECT id, last_number, draft, $3, $4, $5 FROM taken RETURNING number""",
        page_id,
        version,
        shown_from,
        shown_until,
        by,
    )
    return number


async def set_withdrawn(tx: Tx, page_id: UUID, number: int, *, is_withdrawn: bool) -> bool:
    """Take a version back, or let it hold again; whether that changed anything. The page's version counts up."""
    row = await tx.row(
        """WITH changed AS (
               UPDATE content_version SET withdrawn_at = CASE WHEN $3 THEN now() END
               WHERE page = $1 AND number = $2 AND (withdrawn_at IS NULL) = $3 RETURNING page)
           UPDATE content_page p SET version = version + 1, updated_at = now() FROM changed
           WHERE p.id = changed.page RETURNING p.id""",
        page_id,
        number,
        is_withdrawn,
    )
    return row is not None


async def document_of(reader: Reader, page_id: UUID, number: int) -> Document | None:
    """What a version of a page shows."""
    found = await reader.value(
        "SELECT document FROM content_version WHERE page = $1 AND number = $2", page_id, number
    )
    return None if found is None else msgspec.convert(found, Document)


async def live(reader: Reader, line: Sequence[UUID], handle: str, at: datetime | None = None) -> Live | None:
    """The page that customers of a channel see at a handle: of the nearest channel in its line that shows one."""
    return await reader.one(
        Live,
        f"""SELECT p.id AS page, p.channel, p.handle, v.number, v.document, v.published_at
            FROM unnest($1::uuid[]) WITH ORDINALITY AS w (channel, distance)
            JOIN content_page p ON p.channel = w.channel AND p.handle = $2
            JOIN content_version v ON v.page = p.id AND {_HOLDS.format(at="$3::timestamptz")}
            ORDER BY w.distance, {_FIRST} LIMIT 1""",
        list(line),
        handle,
        at or now(),
    )


async def live_handles(reader: Reader, line: Sequence[UUID]) -> list[tuple[str, datetime]]:
    """The content pages of a channel that are shown now, with the time at which each was published last."""
    rows = await reader.rows(
        f"""SELECT p.handle, max(v.published_at) AS published_at FROM content_page p
            JOIN content_version v ON v.page = p.id AND {_HOLDS.format(at="now()")}
            WHERE p.channel = ANY($1::uuid[]) AND p.handle <> '' GROUP BY p.handle ORDER BY p.handle""",
        list(line),
    )
    return [(row["handle"], row["published_at"]) for row in rows]


# -- brand kits and menus --------------------------------------------------------------------------------------------------


class OwnKit(msgspec.Struct, frozen=True):
    """What a channel sets of its brand."""

    channel: UUID
    own: Brand
    version: int
    updated_at: datetime


async def kits(reader: Reader) -> list[OwnKit]:
    """What every channel sets of its brand."""
    return await reader.all(OwnKit, "SELECT channel, own, version, updated_at FROM brand_kit")


async def put_kit(tx: Tx, channel: UUID, own: Brand, version: int) -> bool:
    """Set a kit that is at ``version`` (0: there is none); whether it was."""
    row = await tx.row(
        """INSERT INTO brand_kit AS k (channel, own) SELECT $1, $2 WHERE $3 = 0
               OR EXISTS (SELECT FROM brand_kit WHERE channel = $1)
           ON CONFLICT (channel) DO UPDATE SET own = excluded.own, version = k.version + 1, updated_at = now()
           WHERE k.version = $3 RETURNING version""",
        channel,
        document(own),
        version,
    )
    return row is not None


async def menus(reader: Reader) -> list[Menu]:
    """Every menu of every channel."""
    return await reader.all(Menu, "SELECT channel, place, items, version FROM content_menu")


async def put_menu(tx: Tx, channel: UUID, place: MenuPlace, items: list[Link], version: int) -> bool:
    """Set a menu that is at ``version`` (0: there is none); whether it was."""
    row = await tx.row(
        """INSERT INTO content_menu AS m (channel, place, items) SELECT $1, $2, $3 WHERE $4 = 0
               OR EXISTS (SELECT FROM content_menu WHERE channel = $1 AND place = $2)
           ON CONFLICT (channel, place) DO UPDATE
           SET items = excluded.items, version = m.version + 1, updated_at = now()
           WHERE m.version = $4 RETURNING version""",
        channel,
        place,
        document(items),
        version,
    )
    return row is not None


@asked_once
async def fingerprint(reader: Reader) -> int:
    """A number that grows with every change of what `samlad.content.setup` keeps."""
    return int(
        await reader.value(
            """SELECT (SELECT count(*) + coalesce(sum(version), 0) FROM brand_kit)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM content_menu)
                    + (SELECT count(*) + coalesce(sum(version), 0) FROM channel)"""
        )
    )


# -- redirects -------------------------------------------------------------------------------------------------------------


async def lock_redirects(tx: Tx, channel: UUID) -> None:
    """Who changes the redirects of a channel waits for others: two that are right each may be a loop together."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('content.redirects ' || $1, 11))", str(channel)
    )


async def put_redirects(
    tx: Tx, channel: UUID, ids: Sequence[UUID], given: Sequence[RedirectInput]
) -> list[str]:
    """Add redirects or lead them elsewhere; the sources that are different now."""
    rows = await tx.rows(
        """INSERT INTO content_redirect AS r (id, channel, source, target, is_permanent)
           SELECT w.id, $1, w.source, w.target, w.is_permanent
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bool[]) AS w (id, source, target, is_permanent)
           ORDER BY w.source
           ON CONFLICT (channel, source) DO UPDATE
           SET target = excluded.target, is_permanent = excluded.is_permanent
           WHERE (r.target, r.is_permanent) IS DISTINCT FROM (excluded.target, excluded.is_permanent)
           RETURNING source""",
        channel,
        list(ids),
        [each.source for each in given],
        [each.target for each in given],
        [each.is_permanent for each in given],
    )
    return sorted(row["source"] for row in rows)


async def looping(tx: Tx, channel: UUID, sources: Sequence[str]) -> list[str]:
    """Those of some sources that lead back to themselves, or further than browsers follow.

    A loop has at least one of those that changed in it, so that only their ways are walked.
    """
    rows = await tx.rows(
        f"""WITH RECURSIVE way AS (
                SELECT source AS began, split_part(split_part(target, '#', 1), '?', 1) AS at, 1 AS steps
                FROM content_redirect WHERE channel = $1 AND source = ANY($2::text[])
                UNION ALL
                SELECT way.began, split_part(split_part(r.target, '#', 1), '?', 1), way.steps + 1
                FROM way JOIN content_redirect r ON r.channel = $1 AND r.source = way.at
                WHERE way.at <> way.began AND way.steps < {LONGEST_WAY})
            SELECT DISTINCT began FROM way WHERE at = began OR steps >= {LONGEST_WAY} ORDER BY began""",
        channel,
        list(sources),
    )
    return [row["began"] for row in rows]


async def redirect_from(reader: Reader, line: Sequence[UUID], source: str) -> Redirect | None:
    """Where an old address of a channel leads, by the nearest channel in its line that says so."""
    return await reader.one(
        Redirect,
        f"""SELECT {_REDIRECT} FROM unnest($1::uuid[]) WITH ORDINALITY AS w (channel, distance)
            JOIN content_redirect r ON r.channel = w.channel AND r.source = $2 ORDER BY w.distance LIMIT 1""",
        list(line),
        source,
    )


async def count_hit(tx: Tx, redirect: UUID) -> None:
    """Somebody came by an old address."""
    await tx.execute(
        "UPDATE content_redirect SET hits = hits + 1, last_hit_at = now() WHERE id = $1", redirect
    )


async def delete_redirects(tx: Tx, ids: Sequence[UUID]) -> list[Redirect]:
    """Remove redirects; those that were there."""
    rows = await tx.rows(
        f"DELETE FROM content_redirect r WHERE r.id = ANY($1::uuid[]) RETURNING {_REDIRECT}", list(ids)
    )
    return into(Redirect, rows)


# -- pictures --------------------------------------------------------------------------------------------------------------


async def put_picture(tx: Tx, picture: Picture, printed: str) -> Picture | None:
    """Note a picture; None when it is known."""
    return await tx.one(
        Picture,
        f"""INSERT INTO content_picture AS c (key, name, width, height, bytes, printed)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING RETURNING {_PICTURE}""",
        picture.key,
        picture.name,
        picture.width,
        picture.height,
        picture.bytes,
        printed,
    )


async def pictures(reader: Reader, keys: Sequence[str]) -> dict[str, Picture]:
    """Pictures by key; unknown ones are left out."""
    found = await reader.all(
        Picture, f"SELECT {_PICTURE} FROM content_picture c WHERE c.key = ANY($1::text[])", list(keys)
    )
    return {each.key: each for each in found}


async def printed(reader: Reader, keys: Sequence[str]) -> dict[str, str]:
    """Pictures as documents carry them: ``data:`` URLs by key."""
    rows = await reader.rows(
        "SELECT key, printed FROM content_picture WHERE key = ANY($1::text[])", list(keys)
    )
    return {row["key"]: row["printed"] for row in rows}
