"""SQL of the tables of consent."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from samlad.consent.model import Entry, Language, Level, Purpose, Text
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids

_PURPOSE = "code, kind, category, is_always, least, days, names, position, version, updated_at"
_ENTRY = ", ".join(Entry.__struct_fields__)

ENTRIES = Listing(
    row=Entry,
    select=_ENTRY,
    source="consent_entry",
    key="id",
    sorts={
        "recorded_at": Sort("recorded_at", "timestamptz"),
        "answered_at": Sort("answered_at", "timestamptz"),
    },
    default_sort="-recorded_at",
    filters={
        "purpose": Filter("purpose = ANY({}::text[])", texts),
        "answer": Filter("answer = ANY({}::text[])", texts),
        "node": Filter("node = ANY({}::uuid[])", uuids),
        "source": Filter("source = {}"),
    },
)
"""The whole ledger, the latest first."""


async def purposes(reader: Reader) -> list[Purpose]:
    """All purposes, as they are shown one below the other."""
    return await reader.all(Purpose, f"SELECT {_PURPOSE} FROM consent_purpose ORDER BY position, code")


async def asked_for(reader: Reader) -> list[Purpose]:
    """The purposes that people can say yes or no to: what is strictly necessary is none of them."""
    return [each for each in await purposes(reader) if not each.is_always]


async def lock_purpose(tx: Tx, code: str) -> Purpose | None:
    """A purpose that is about to be changed, or given a text."""
    return await tx.one(Purpose, f"SELECT {_PURPOSE} FROM consent_purpose WHERE code = $1 FOR UPDATE", code)


async def update_purpose(tx: Tx, code: str, least: Level, days: int | None) -> Purpose:
    """Change a purpose that is locked."""
    changed = await tx.one(
        Purpose,
        f"""UPDATE consent_purpose SET least = $2, days = $3, version = version + 1, updated_at = now()
            WHERE code = $1 RETURNING {_PURPOSE}""",
        code,
        int(least),
        days,
    )
    assert changed is not None
    return changed


async def add_text(tx: Tx, purpose: str, language: Language, text: str, version: int | None) -> Text | None:
    """Add a wording of a purpose that is locked; None: this version has one in this language."""
    return await tx.one(
        Text,
        """INSERT INTO consent_text (id, purpose, version, language, text)
           SELECT $1, $2, coalesce($5, coalesce(max(version), 0) + 1), $3, $4 FROM consent_text
           WHERE purpose = $2 AND language = $3
           ON CONFLICT (purpose, version, language) DO NOTHING RETURNING *""",
        new_id(),
        purpose,
        language,
        text,
        version,
    )


async def texts_of(reader: Reader) -> list[Text]:
    """Every wording there is or was, the latest of a purpose first."""
    return await reader.all(Text, "SELECT * FROM consent_text ORDER BY purpose, version DESC, language")


async def latest_text(reader: Reader, purpose: str, language: str) -> Text | None:
    """What is shown today, in a language or else in English."""
    return await reader.one(
        Text,
        """SELECT * FROM consent_text WHERE purpose = $1 AND language IN ($2, 'en')
           ORDER BY (language = $2) DESC, version DESC LIMIT 1""",
        purpose,
        language,
    )


async def text_of(reader: Reader, text: UUID) -> Text | None:
    """A wording by its id."""
    return await reader.one(Text, "SELECT * FROM consent_text WHERE id = $1", text)


async def purposes_of(reader: Reader, wordings: Collection[UUID]) -> dict[UUID, str]:
    """Of which purposes these wordings are."""
    if not wordings:
        return {}
    rows = await reader.rows("SELECT id, purpose FROM consent_text WHERE id = ANY($1)", list(wordings))
    return {row["id"]: row["purpose"] for row in rows}


async def insert(tx: Tx, entries: Sequence[Entry]) -> list[Entry]:
    """Add lines that were not told before, in key order; those that are new."""
    ordered = sorted(entries, key=lambda e: (e.source, e.event_id, e.node.bytes, e.purpose, str(e.scope)))
    columns: list[list[Any]] = [[getattr(each, name) for each in ordered] for name in Entry.__struct_fields__]
    return await tx.all(
        Entry,
        f"""INSERT INTO consent_entry ({_ENTRY})
            SELECT {_ENTRY} FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::smallint[],
                $7::uuid[], $8::timestamptz[], $9::timestamptz[], $10::uuid[], $11::text[], $12::text[], $13::jsonb[],
                $14::text[], $15::timestamptz[]) AS t ({_ENTRY})
            ON CONFLICT (source, event_id, node, purpose, scope) DO NOTHING RETURNING {_ENTRY}""",
        *columns,
    )


async def entries_of(reader: Reader, nodes: Collection[UUID]) -> list[Entry]:
    """The ledger of these identifiers, the latest first."""
    return await reader.all(
        Entry,
        f"SELECT {_ENTRY} FROM consent_entry WHERE node = ANY($1) ORDER BY answered_at DESC, id DESC",
        list(nodes),
    )


async def allowed(
    reader: Reader,
    people: Sequence[tuple[UUID, UUID]],
    purpose: Purpose,
    channel: UUID | None,
    at: datetime,
) -> set[UUID]:
    """Who agreed, of pairs of who was asked about and an identifier of theirs: `rules.deciding` for many at once."""
    rows = await reader.rows(
        """
        WITH told AS MATERIALIZED (
            SELECT p.asked, e.node, e.answer, e.level, e.answered_at, e.until
            FROM unnest($1::uuid[], $2::uuid[]) AS p (asked, node) JOIN consent_entry e USING (node)
            WHERE e.purpose = ANY($3) AND (e.scope IS NULL OR e.scope = $4) AND e.answered_at <= $5)
        SELECT DISTINCT g.asked FROM told g
        WHERE g.answer = 'granted' AND g.level >= $6 AND (g.until IS NULL OR g.until > $5)
              AND NOT EXISTS (SELECT 1 FROM told d WHERE d.asked = g.asked AND d.answer = 'denied' AND NOT (
                  g.answered_at > d.answered_at AND (g.level = 2 OR (g.node = d.node AND g.level >= d.level))))
        """,
        [asked for asked, _ in people],
        [node for _, node in people],
        purpose.codes,
        channel,
        at,
        int(purpose.least),
    )
    return {row["asked"] for row in rows}
