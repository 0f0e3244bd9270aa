"""When nothing is found: which words do not occur, and which ones were meant."""

from collections.abc import Sequence

from samlad.catalog.search.words import mended, tsquery
from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader


async def mend(reader: Reader, channel: Channel, words: Sequence[tuple[str, str]]) -> str | None:
    """The query with each word that does not occur replaced by the nearest one that does; None when nothing changes."""
    last = len(words) - 1
    queries = [tsquery([pair], typing=index == last) for index, pair in enumerate(words)]
    rows = await reader.rows(
        """
        SELECT w.word, found.is_there,
               CASE WHEN NOT found.is_there THEN near_words($1, w.word) END AS near
        FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS w (word, query, place),
             LATERAL (SELECT EXISTS (SELECT 1 FROM product_search s
                                     WHERE s.words @@ w.query::tsquery AND s.pool = $1) AS is_there) AS found
        ORDER BY w.place
        """,
        channel.pools[Resource.CATALOGUE],
        [word for word, _ in words],
        queries,
    )
    better = [row["word"] if row["is_there"] else mended(row["word"], row["near"] or []) for row in rows]
    if None in better or better == [word for word, _ in words]:
        return None
    return " ".join(word for word in better if word is not None)
