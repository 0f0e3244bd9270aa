"""How many people conditions hold for: counted where there are few, estimated from a sample by chance where there are many.

The sample is some of 1,024 equal parts of a pool, by a hash of the customers' ids (index customer_sample): about 5,000
people, whatever the size of the pool. It is read first and given to the statement as ids: then PostgreSQL knows how few they
are, and reads their orders by index. As a condition on the hash it took them for a third of everybody.
"""

import math
from uuid import UUID

from samlad import channels
from samlad.audiences import compiling, rules
from samlad.audiences.model import ExamplePerson, Preview, PreviewInput
from samlad.audiences.segments import check, definitions_of
from samlad.channels import Resource
from samlad.kernel import clock
from samlad.kernel.database import Reader

COUNTED = 20_000
"""A pool of so many is counted as a whole."""
SAMPLE = 5_000
EXAMPLES = 5
"""People who are shown."""
PARTS = 1024
"""Of a pool, in the index."""


async def preview(reader: Reader, data: PreviewInput) -> Preview:
    """How many people of a channel's customers conditions hold for now.

    Raises:
        NotFound: no such channel.
        InvalidInput: the conditions cannot be used.
        Busy: ``exact`` was asked for and takes longer than a statement may.
    """
    channel = await channels.get(reader, data.channel)
    pool = channel.pools[Resource.CUSTOMERS]
    expanded = check(data.definition, await definitions_of(reader, pool))
    people = await people_of(reader, pool)
    sample = None if data.exact or people <= COUNTED else await sample_of(reader, pool, people)
    compiled = compiling.compiled(expanded, pool, clock.now(), channel.time_zone, people=sample)
    row = await reader.row(
        f"""WITH {compiled.with_}
            SELECT count(*) AS people, count(*) FILTER (WHERE is_in) AS hits,
                   ARRAY(SELECT person FROM truth WHERE is_in LIMIT {EXAMPLES}) AS some
            FROM truth""",
        *compiled.args,
    )
    assert row is not None
    examples = await reader.all(
        ExamplePerson,
        "SELECT id, name, email, external_id FROM customer WHERE id = ANY ($1) ORDER BY id",
        row["some"],
    )
    if sample is None:
        return Preview(
            size=row["hits"],
            people=row["people"],
            looked_at=row["people"],
            is_exact=True,
            low=row["hits"],
            high=row["hits"],
            examples=examples,
        )
    size, low, high = rules.margin(row["hits"], row["people"], people)
    return Preview(
        size=size,
        people=people,
        looked_at=row["people"],
        is_exact=False,
        low=low,
        high=high,
        examples=examples,
    )


async def people_of(reader: Reader, pool: UUID) -> int:
    """How many people a pool has: exact, because an error here would be one of the estimate. It reads an index only."""
    found: int = await reader.value(
        "SELECT count(*) FROM customer WHERE pool = $1 AND survivor IS NULL", pool
    )
    return found


async def sample_of(reader: Reader, pool: UUID, people: int) -> list[UUID]:
    """About 5,000 people of a pool, by chance and always the same."""
    parts = min(PARTS, math.ceil(PARTS * SAMPLE / people))
    rows = await reader.rows(
        f"""SELECT id FROM customer WHERE pool = $1 AND survivor IS NULL
            AND (uuid_hash_extended(id, 0) & {PARTS - 1}) < $2::int""",
        pool,
        parts,
    )
    return [row["id"] for row in rows]
