"""The category tree. Each node knows its path of slugs, so that “this and all below” is one comparison of texts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.access import audit
from samlad.catalog.model import NO_CONTROL, Line, NamedTexts, NamedTranslations, Position, Text, Title
from samlad.catalog.permissions import CHANGE
from samlad.catalog.rules import slug as slug_of
from samlad.catalog.search import index
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import Conflict, InvalidInput, NotFound

DEEPEST = 12
"""Most levels of the tree: enough for any shop, and paths stay short enough to index."""

Slug = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=150,
        pattern=r"^[^\s/?#%\x00-\x1f\x7f]+(?!\n)$",
        description="Name in addresses, unique among its siblings",
        examples=["kettles"],
    ),
]


class Category(msgspec.Struct, frozen=True):
    """A node of the tree; ``path`` is the slugs from the root, ``kitchen/kettles``."""

    id: UUID
    pool: UUID
    parent: UUID | None
    slug: str
    path: str
    name: str
    description: str
    position: int
    seo_title: str | None
    seo_description: str | None
    translations: dict[str, NamedTexts]
    version: int
    created_at: datetime
    updated_at: datetime


class CategoryInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new category. Without a slug it gets one from its name."""

    name: Annotated[Title, Meta(examples=["Kettles"])]
    slug: Slug | None = None
    parent: UUID | None = None
    description: Text = ""
    position: Position = 0
    seo_title: Line | None = None
    seo_description: Annotated[str, Meta(max_length=2000, pattern=NO_CONTROL)] | None = None
    translations: NamedTranslations = {}


class CategoryChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. With ``parent`` it moves with all below it; null makes it a root."""

    name: Title | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    parent: UUID | UnsetType | None = UNSET
    description: Text | UnsetType = UNSET
    position: Position | UnsetType = UNSET
    seo_title: Line | UnsetType | None = UNSET
    seo_description: Annotated[str, Meta(max_length=2000, pattern=NO_CONTROL)] | UnsetType | None = UNSET
    translations: NamedTranslations | UnsetType = UNSET


_SLUG = re.compile(r"^[^\s/?#%\x00-\x1f\x7f]+\Z")
_COLUMNS = ", ".join(Category.__struct_fields__)

CATEGORIES = Listing(
    row=Category,
    select=_COLUMNS,
    source="category WHERE pool = ANY($1)",
    key="id",
    sorts={"path": Sort("path"), "position": Sort("position", "int"), "name": Sort("lower(name)")},
    default_sort="path",
    filters={
        "parent": Filter("parent = ANY({})", uuids),
        "path": Filter("path = ANY({})", texts),
        "under": Filter("path LIKE ({} || '/%')"),
        "pool": Filter("pool = ANY({})", uuids),
    },
)


def moved_path(path: str, old: str, new: str) -> str:
    """The path of a node after ``old`` became ``new``: of the node itself and of those below it; others stay."""
    if path == old:
        return new
    return new + path[len(old) :] if path.startswith(old + "/") else path


def is_under(path: str, other: str) -> bool:
    """Whether a path is another one or below it."""
    return path == other or path.startswith(other + "/")


def is_path(path: str) -> bool:
    """Whether a text can be the path of a category."""
    parts = path.split("/")
    return len(parts) <= DEEPEST and all(_SLUG.match(part) and len(part) <= 150 for part in parts)


async def get(reader: Reader, category_id: UUID) -> Category:
    """One category.

    Raises:
        NotFound: there is none with this id.
    """
    found = await reader.one(Category, f"SELECT {_COLUMNS} FROM category WHERE id = $1", category_id)
    if found is None:
        raise NotFound("There is no such category.")
    return found


async def by_path(reader: Reader, pool: UUID, path: str) -> Category:
    """One category by the slugs from the root.

    Raises:
        NotFound: there is none in this pool.
    """
    sql = f"SELECT {_COLUMNS} FROM category WHERE pool = $1 AND path = $2"
    found = await reader.one(Category, sql, pool, path)
    if found is None:
        raise NotFound("There is no such category.")
    return found


async def tree(reader: Reader, pool: UUID) -> list[Category]:
    """All categories of a pool; parents before their children, siblings in their order."""
    return await reader.all(
        Category,
        f"""
        WITH RECURSIVE line AS (
            SELECT c.*, ARRAY[lpad(c.position::text, 10, '0') || c.slug] AS place FROM category c
            WHERE pool = $1 AND parent IS NULL
            UNION ALL
            SELECT c.*, line.place || (lpad(c.position::text, 10, '0') || c.slug)
            FROM line JOIN category c ON c.parent = line.id
        )
        SELECT {_COLUMNS} FROM line ORDER BY place
        """,
        pool,
    )


async def create(tx: Tx, pool: UUID, data: CategoryInput) -> Category:
    """A new category.

    Raises:
        Conflict: a sibling has this slug.
        InvalidInput: no such parent in this pool, a tree too deep, or a name without letters and no slug.
    """
    tx.actor.require(CHANGE)
    slug = data.slug or slug_of(data.name)
    if not slug:
        raise InvalidInput.at("slug", "this name makes no slug; give one")
    values = msgspec.structs.asdict(data) | {"slug": slug}
    moment = now()
    made = Category(
        id=new_id(),
        pool=pool,
        path=await _path(tx, pool, data.parent, slug),
        version=1,
        created_at=moment,
        updated_at=moment,
        **values,
    )
    try:
        await _insert(tx, [made])
    except asyncpg.UniqueViolationError:
        raise Conflict.at("slug", f"There is a category “{made.path}” already.") from None
    audit.record(tx, "category.created", "category", made.id, after=made)
    return made


async def _insert(tx: Tx, made: Sequence[Category]) -> int:
    return await tx.execute(
        f"INSERT INTO category ({_COLUMNS}) SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::category, $1)",
        made,
    )


async def _path(tx: Tx, pool: UUID, parent: UUID | None, slug: str) -> str:
    if parent is None:
        return slug
    above = await tx.one(
        Category, f"SELECT {_COLUMNS} FROM category WHERE id = $1 AND pool = $2 FOR SHARE", parent, pool
    )
    if above is None:
        raise InvalidInput.at("parent", "There is no such category in this pool.")
    path = f"{above.path}/{slug}"
    if path.count("/") >= DEEPEST:
        raise InvalidInput.at("parent", f"The tree may have {DEEPEST} levels.")
    return path


async def change(tx: Tx, category_id: UUID, data: CategoryChange, expected: int | None = None) -> Category:
    """Change or move a category; the paths of all below it follow.

    Raises:
        NotFound, Outdated, Conflict: no such category; changed meanwhile; a sibling has the slug.
        InvalidInput: no such parent, or the new parent is below the category itself.
    """
    tx.actor.require(CHANGE)
    before = await get(tx, category_id)
    # One lock for all that move in this tree: two moves at once could otherwise make a circle.
    await tx.value(
        "SELECT pg_advisory_xact_lock(hashtextextended('category ' || $1::text, 3))", str(before.pool)
    )
    before = await get(tx, category_id)
    check_version(expected, before.version)
    values = {k: v for k, v in msgspec.structs.asdict(data).items() if v is not UNSET}
    after = msgspec.structs.replace(before, **values)
    if (after.parent, after.slug) != (before.parent, before.slug):
        path = await _path(tx, before.pool, after.parent, after.slug)
        if after.parent is not None and is_under(path.rpartition("/")[0], before.path):
            raise InvalidInput.at("parent", "A category cannot be moved below itself.")
        after = msgspec.structs.replace(after, path=path)
    if after == before:
        return before
    after = msgspec.structs.replace(after, version=before.version + 1, updated_at=now())
    await _put(tx, before, after)
    audit.record(tx, "category.changed", "category", after.id, before=before, after=after)
    return after


async def _put(tx: Tx, before: Category, after: Category) -> None:
    try:
        if after.path != before.path:
            await tx.execute(
                "UPDATE category SET path = $3 || substr(path, length($2) + 1), updated_at = $5"
                " WHERE pool = $1 AND path LIKE $4",
                before.pool,
                before.path,
                after.path,
                like_prefix(before.path) + "/%",
                after.updated_at,
            )
        written = [n for n in Category.__struct_fields__ if n not in ("id", "pool", "created_at")]
        await tx.execute(
            f"""
            UPDATE category SET ({", ".join(written)}) = ({", ".join("n." + each for each in written)})
            FROM jsonb_populate_record(NULL::category, $1) AS n WHERE category.id = n.id
            """,
            after,
        )
    except asyncpg.UniqueViolationError:
        raise Conflict.at("slug", f"There is a category “{after.path}” already.") from None
    if after.path != before.path or after.name != before.name:
        rows = await tx.rows(
            "SELECT p.id FROM product p JOIN category c ON c.id = p.category"
            " WHERE c.pool = $1 AND (c.path = $2 OR c.path LIKE $3)",
            after.pool,
            after.path,
            like_prefix(after.path) + "/%",
        )
        await index.refresh(tx, [row["id"] for row in rows])


def like_prefix(text: str) -> str:
    """A text for LIKE that means only itself."""
    return text.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")


async def remove(tx: Tx, category_id: UUID, expected: int | None = None) -> None:
    """Remove a category that nothing is in.

    Raises:
        NotFound, Outdated: no such category; changed meanwhile.
        Conflict: there are products or categories in it.
    """
    tx.actor.require(CHANGE)
    await tx.value("SELECT 1 FROM category WHERE id = $1 FOR UPDATE", category_id)
    before = await get(tx, category_id)
    check_version(expected, before.version)
    try:
        await tx.execute("DELETE FROM category WHERE id = $1", category_id)
    except asyncpg.ForeignKeyViolationError:
        raise Conflict("There are products or categories in it; move them first.") from None
    audit.record(tx, "category.removed", "category", category_id, before=before)


async def ensure(tx: Tx, pool: UUID, paths: Iterable[str], names: Mapping[str, str] | None = None) -> int:
    """Make the categories that are missing on these paths; how many. Names default to the slugs, made readable."""
    given = names or {}
    return await restore(
        tx, pool, {path: CategoryInput(name=given.get(path) or readable(path)) for path in paths}
    )


def readable(path: str) -> str:
    """A name from a path: ``kitchen/tea-kettles`` is “Tea kettles”."""
    slug = path.rpartition("/")[2]
    return slug.replace("-", " ").capitalize()


async def restore(tx: Tx, pool: UUID, wanted: Mapping[str, CategoryInput]) -> int:
    """Make categories by path where there is none yet, with those above them; how many. Others stay as they are."""
    known = {c.path: c.id for c in await tree(tx, pool)} if wanted else {}
    paths = {
        "/".join(parts[: n + 1]) for path in wanted for parts in [path.split("/")] for n in range(len(parts))
    }
    missing = sorted(paths - known.keys(), key=lambda path: (path.count("/"), path))
    if not missing:
        return 0
    tx.actor.require(CHANGE)
    moment, made = now(), []
    for path in missing:
        above, _, slug = path.rpartition("/")
        known[path] = new_id()
        texts = wanted.get(path) or CategoryInput(name=readable(path))
        fields = {
            n: getattr(texts, n) for n in CategoryInput.__struct_fields__ if n not in ("slug", "parent")
        }
        made.append(
            Category(
                id=known[path],
                pool=pool,
                parent=known.get(above),
                slug=slug,
                path=path,
                version=1,
                created_at=moment,
                updated_at=moment,
                **fields,
            )
        )
    return await _insert(tx, made)
