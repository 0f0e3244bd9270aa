"""No table with rows in pools is forgotten."""

from samlad.channels import Resource
from samlad.kernel.database import Database
from samlad.pools import registry

APART = {"channel_pool", "pool_move"}
"""What says who uses which pool."""
HISTORY = {
    "identity_change",
    "price_history",
    "product_search",
    "price_context",
    "facet",
    "search_word",
    "rfm_score",
    "rfm_run",
    "product_pair",
    "paired_order",
}
"""Projections and histories, written from rows that are guarded."""


async def test_every_table_with_a_pool_is_declared_and_guarded(db: Database) -> None:
    rows = await db.rows(
        """SELECT c.relname AS name, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid
                                             AND t.tgname = 'a_pool_is_open') AS is_guarded
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'pool' AND NOT a.attisdropped
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace"""
    )
    found = {row["name"]: row["is_guarded"] for row in rows}
    declared = registry.tables()
    forgotten = sorted(found.keys() - declared.keys() - APART)
    assert forgotten == [], (
        "say in the package's pooling.py what becomes of it when a channel joins or leaves"
    )
    assert sorted(declared.keys() - found.keys() - {"book"}) == [], "declared, but there is no such table"
    open_doors = sorted(
        name for name, is_guarded in found.items() if not is_guarded and name not in APART | HISTORY
    )
    assert open_doors == [], (
        "SELECT guard_pool(…) in a migration keeps rows out of pools that nobody uses any more"
    )


NAMES_GOODS = {
    "goods": {"variant", "media"},
    "levels": {"level", "hold", "movement"},
    "reviews": {"review"},
    "questions": {"question"},
    "cannot be matched, so nothing is renamed": {"stock_lot", "lot", "fulfilment_lot"},
    "is summed up again": {"stock_pace"},
    "what was decided before": {"catalogue_decision"},
}
"""Tables whose rows name variants and that no `repointing` renames, by the step or the reason."""


async def test_every_table_that_names_goods_follows_a_catalogue(db: Database) -> None:
    rows = await db.rows(
        """SELECT DISTINCT c.relname AS name
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
             AND (a.attname = 'variant' OR EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conrelid = c.oid
                                                     AND f.confrelid = 'variant'::regclass AND a.attnum = ANY (f.conkey)))"""
    )
    found = {row["name"] for row in rows}
    renamed = {
        step.name.removeprefix("variants of ")
        for step in registry.steps(Resource.CATALOGUE)
        if step.name.startswith("variants of ")
    }
    apart = {table for tables in NAMES_GOODS.values() for table in tables}
    assert sorted(found - renamed - apart) == [], (
        "declare it with `catalog.twins.repointing`, or say here why not"
    )
    assert sorted(apart - found) == [], "these name no goods"
