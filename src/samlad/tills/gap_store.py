"""SQL of the table ``till_gap``, and of what tills say of their journals."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.tills.model import Gap, LookInput


async def note_journal(tx: Tx, device: UUID, last: int, unsent: int) -> int:
    """What a till says of its journal; up to which number was looked before. With nothing unsent that is ``last`` from now on."""
    before: int = await tx.value("SELECT looked_to FROM till_device WHERE id = $1 FOR UPDATE", device)
    await tx.execute(
        """UPDATE till_device SET last = greatest(last, $2), unsent = $3::int,
                  unsent_since = CASE WHEN $3::int + cards > 0 THEN coalesce(unsent_since, now()) END,
                  looked_to = CASE WHEN $3::int = 0 THEN greatest(looked_to, $2) ELSE looked_to END WHERE id = $1""",
        device,
        last,
        unsent,
    )
    return before


async def note_gaps(tx: Tx, device: UUID, location: UUID, first: int, last: int) -> list[int]:
    """Write down which numbers of a till are not here; those that were not written down before."""
    rows = await tx.rows(
        """INSERT INTO till_gap (till, number, location)
           SELECT $1, n, $2 FROM generate_series($3::bigint, $4::bigint) n
           WHERE NOT EXISTS (SELECT FROM till_sale WHERE till_id = $1 AND sequence = n)
           ON CONFLICT DO NOTHING RETURNING number""",
        device,
        location,
        first,
        last,
    )
    return sorted(row["number"] for row in rows)


async def note_lost(tx: Tx, device: UUID, location: UUID, numbers: Sequence[int]) -> None:
    """A till says that it had these and has lost them; what is here all the same is not lost."""
    if numbers:
        await tx.execute(
            """INSERT INTO till_gap (till, number, location, is_lost)
               SELECT $1, n, $2, true FROM unnest($3::bigint[]) n
               WHERE NOT EXISTS (SELECT FROM till_sale WHERE till_id = $1 AND sequence = n)
               ON CONFLICT (till, number) DO UPDATE SET is_lost = true""",
            device,
            location,
            list(numbers),
        )


async def came(tx: Tx, device: UUID, number: int) -> None:
    """A number that was missing is here."""
    await tx.execute(
        "UPDATE till_gap SET came_at = now() WHERE till = $1 AND number = $2 AND came_at IS NULL",
        device,
        number,
    )


async def missing(reader: Reader, locations: Sequence[UUID] | None) -> list[Gap]:
    """What is missing and nobody has looked into, in runs of numbers; the oldest first."""
    return await reader.all(
        Gap,
        """SELECT till, channel, location, min(number) AS first, max(number) AS last, is_lost,
                  min(noticed_at) AS noticed_at
           FROM (SELECT g.till, c.code AS channel, g.location, g.number, g.is_lost, g.noticed_at,
                        g.number - row_number() OVER (PARTITION BY g.till, g.is_lost ORDER BY g.number) AS run
                 FROM till_gap g JOIN till_device d ON d.id = g.till JOIN channel c ON c.id = d.channel
                 WHERE g.came_at IS NULL AND g.looked_at IS NULL
                       AND ($1::uuid[] IS NULL OR g.location = ANY ($1))) one
           GROUP BY till, channel, location, is_lost, run ORDER BY min(noticed_at), till, min(number) LIMIT 200""",
        None if locations is None else list(locations),
    )


async def place_of(reader: Reader, device: UUID) -> UUID | None:
    """Where a till stands."""
    found: UUID | None = await reader.value("SELECT location FROM till_device WHERE id = $1", device)
    return found


async def look(tx: Tx, data: LookInput) -> int:
    """Somebody has looked into missing numbers; how many there were."""
    return await tx.execute(
        """UPDATE till_gap SET looked_at = $4, looked_by = $5, reason = $6
           WHERE till = $1 AND number BETWEEN $2 AND $3 AND looked_at IS NULL AND came_at IS NULL""",
        data.till,
        data.first,
        data.last,
        now(),
        tx.actor.label,
        data.reason,
    )
