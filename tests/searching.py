"""Looking for words in everything that there is: every column of every table, every file, what the server wrote."""

from collections.abc import Iterable
from pathlib import Path

from samlad.kernel.database import Database

# In words of text as they stand, in bytes as PostgreSQL shows them.
_TABLES = """
SELECT c.relname AS name FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'm') ORDER BY 1
"""


async def in_tables(db: Database, words: Iterable[str]) -> dict[str, list[str]]:
    """The words that each table has in any of its rows."""
    needles = sorted({form for word in words for form in (word, word.lower(), word.upper(), word.title())})
    found = {}
    for table in [row["name"] for row in await db.rows(_TABLES)]:
        rows = await db.rows(
            f"""SELECT DISTINCT lower(n.word) AS word FROM unnest($1::text[]) AS n (word), "{table}" AS t
                WHERE strpos(lower(t::text), lower(n.word)) > 0
                   OR strpos(lower(t::text), encode(convert_to(n.word, 'UTF8'), 'hex')) > 0""",
            needles,
        )
        if rows:
            found[table] = sorted(row["word"] for row in rows)
    return found


def in_files(folder: Path, words: Iterable[str]) -> dict[str, list[str]]:
    """The words that each file below a folder has."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes().lower()
            here = [word for word in words if word.lower().encode() in content]
            if here:
                found[str(path.relative_to(folder))] = here
    return found
