"""Ten thousand rows behind a list: the one that a test made, again and again."""

from collections.abc import Mapping

from samlad.kernel.database import Database

MANY = 10_000


def made(table: str) -> str:
    """The id of the n-th copy of a row, so that copies of other tables can point to it."""
    return f"md5('{table}' || n)::uuid"


COPIES: Mapping[str, Mapping[str, str]] = {
    "product": {"id": made("product"), "handle": "'many-' || n"},
    "variant": {
        "id": made("variant"),
        "product": made("product"),
        "sku": "'MANY-' || n",
        "gtin": "NULL",
    },
    "level": {"id": made("level"), "variant": made("variant")},
    "stock_pace": {"variant": made("variant")},
    "customer": {"id": made("customer"), "email": "'many' || n || '@example.org'", "external_id": "NULL"},
    "orders": {
        "id": made("orders"),
        "number": "'MANY-' || n",
        "cart": "NULL",
        "customer": made("customer"),
        "placed_at": "s.placed_at - n * interval '1 minute'",
    },
    "fulfilment": {"id": made("fulfilment"), "order_id": made("orders"), "code": "NULL", "tracking": "NULL"},
    "movement": {"id": made("movement"), "variant": made("variant")},
    "document": {
        "id": made("document"),
        "number": "'MANY-' || n",
        "sequence": "1000 + n",
        "order_id": made("orders"),
    },
    "return_request": {
        "id": made("return_request"),
        "number": "'MANY-' || n",
        "order_id": made("orders"),
        "charging": "NULL",
    },
    "question": {"id": made("question")},
    "review": {"id": made("review"), "product": made("product"), "order_id": made("orders")},
    "promotion": {"id": made("promotion"), "name": "'Many ' || n"},
    "credit_account": {"id": made("credit_account"), "kind": "'gift_card'", "holder": made("gift_card")},
    "gift_card": {
        "id": made("gift_card"),
        "account": made("credit_account"),
        "code_hash": "decode(md5(n::text), 'hex')",
    },
    "stock_transfer": {"id": made("stock_transfer")},
    "stock_count": {"id": made("stock_count")},
    "segment": {"id": made("segment"), "name": "'Many ' || n"},
    "audit_entry": {"id": made("audit_entry")},
    "staff": {"id": made("staff"), "email": "'many' || n || '@example.org'"},
    "api_key": {"id": made("api_key"), "key_hash": "decode(md5(n::text), 'hex')"},
}
"""What differs from copy to copy, by table; all else is as in the row that is copied, ``s``."""

SEEDS: Mapping[str, str] = {
    "stock_pace": "INSERT INTO stock_pace SELECT location, variant, 28, current_date + 9, now() FROM level LIMIT 1",
    "return_request": """INSERT INTO return_request (id, order_id, number, state, due_on, actor)
        SELECT gen_random_uuid(), id, 'R1', 'requested', current_date, 'system' FROM orders LIMIT 1""",
    "review": """INSERT INTO review (id, product, variant, order_id, channel, language, stars, status, written_at)
        SELECT gen_random_uuid(), v.product, v.id, o.id, o.channel, 'en', 4, 'waiting', now() FROM orders o, variant v LIMIT 1""",
    "question": """INSERT INTO question (id, product, variant, channel, language, text, status, asked_at)
        SELECT gen_random_uuid(), v.product, v.id, c.id, 'en', 'How tall is it?', 'waiting', now() FROM channel c, variant v LIMIT 1""",
    "stock_transfer": """INSERT INTO stock_transfer (id, origin, destination)
        SELECT gen_random_uuid(), min(id::text)::uuid, max(id::text)::uuid FROM location""",
    "stock_count": """INSERT INTO stock_count (id, location, actor) SELECT gen_random_uuid(), id, 'system' FROM location LIMIT 1""",
    "staff": "INSERT INTO staff (id, email, name, status) VALUES (gen_random_uuid(), 'sam@example.org', 'Sam', 'active')",
    "api_key": """INSERT INTO api_key (id, name, hint, key_hash, scopes, created_by)
        VALUES (gen_random_uuid(), 'Web', 'sk_1', 'x', '{}', 'system')""",
    "segment": """INSERT INTO segment (id, pool, kind, name, time_zone, definition)
        SELECT gen_random_uuid(), pool, 'list', 'Kept', 'UTC', '{}' FROM customer LIMIT 1""",
}
"""The first row of what no verb of the test made."""


async def seed(db: Database) -> None:
    """See to it that each table has a row."""
    async with db.pool.acquire() as connection:
        for table, insert in SEEDS.items():
            if not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                await connection.execute(insert)


async def multiply(db: Database) -> None:
    """Copy one row of each table so often.

    References and triggers are left out meanwhile: lists are looked at, nothing is done with the rows.
    """
    async with db.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for table, differs in COPIES.items():
            columns = [
                row["column_name"]
                for row in await connection.fetch(
                    """SELECT column_name FROM information_schema.columns
                       WHERE table_name = $1 AND table_schema = current_schema() AND is_generated = 'NEVER' ORDER BY ordinal_position""",
                    table,
                )
            ]
            values = ", ".join(f"({differs[name]})" if name in differs else f"s.{name}" for name in columns)
            await connection.execute(
                f"""INSERT INTO {table} ({", ".join(columns)}) OVERRIDING SYSTEM VALUE
                    SELECT {values} FROM (SELECT * FROM {table} LIMIT 1) s, generate_series(1, {MANY}) AS n"""
            )
    await db.rows("ANALYZE")
