"""While somebody types: the words that may be meant, of those that something would be found by."""

from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader

LOOKED_AT = 40
"""Words that begin so; the shortest are looked at first."""


async def complete(reader: Reader, channel: Channel, text: str, limit: int = 3) -> list[str]:
    """The text with its last word completed, by words of goods that are sold. One statement."""
    rows = await reader.rows(
        f"""
        WITH typed AS MATERIALIZED (
            SELECT regexp_replace(plain_text($2), '[^ ]+$', '') AS head, substring(plain_text($2) FROM '[^ ]+$') AS last
        ), near AS MATERIALIZED (
            SELECT k.word FROM search_word k, typed
            WHERE k.pool = $1 AND length(typed.last) >= 2 AND k.word <> typed.last
              AND k.word >= typed.last COLLATE "C" AND k.word < (typed.last || U&'\\FFFF') COLLATE "C"
            ORDER BY length(k.word), k.word LIMIT {LOOKED_AT}
        )
        SELECT typed.head || near.word AS text FROM near, typed
        WHERE EXISTS (SELECT 1 FROM product_search s
                      WHERE s.pool = $1 AND s.is_active AND s.words @@ to_tsquery('simple', near.word))
        ORDER BY length(near.word), near.word LIMIT $3
        """,
        channel.pools[Resource.CATALOGUE],
        text[:200],
        limit,
    )
    return [row["text"] for row in rows]
