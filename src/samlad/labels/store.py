"""SQL of label runs and their files."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.jobs import delete_in_batches
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.labels.model import LabelRun, Part, RunState, Tag

_FIELDS = ", ".join(
    "r.wanted ->> 'form' AS form" if name == "form" else f"r.{name}" for name in LabelRun.__struct_fields__
)

RUNS = Listing(
    row=LabelRun,
    select=_FIELDS,
    source="label_run r",
    key="r.id",
    sorts={"asked_at": Sort("r.asked_at", "timestamptz")},
    default_sort="-asked_at",
    filters={
        "channel": Filter("r.channel = ANY({})", uuids),
        "state": Filter("r.state = ANY({})", texts),
    },
)


async def run(reader: Reader, run_id: UUID) -> LabelRun | None:
    """A run by its id."""
    return await reader.one(LabelRun, f"SELECT {_FIELDS} FROM label_run r WHERE r.id = $1", run_id)


async def wanted(reader: Reader, run_id: UUID) -> dict[str, Any] | None:
    """What a run that waits is to be of."""
    found: dict[str, Any] | None = await reader.value(
        "SELECT wanted FROM label_run WHERE id = $1 AND state = 'waiting'", run_id
    )
    return found


async def insert(tx: Tx, run_id: UUID, channel: UUID, template: str, wanted: dict[str, Any]) -> bool:
    """Keep what somebody wants; False if this id was used before."""
    return bool(
        await tx.execute(
            """INSERT INTO label_run (id, channel, template, wanted, asked_by, asked_name)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING""",
            run_id,
            channel,
            template,
            wanted,
            tx.actor.label,
            tx.actor.name,
        )
    )


async def plan(tx: Tx, run_id: UUID, missing: list[str], parts: Sequence[Sequence[Tag]], skip: int) -> None:
    """Write down what the labels of a run say, part by part; nothing if that was done before."""
    counted = [sum(tag.copies for tag in part) for part in parts]
    if await tx.execute(
        """UPDATE label_run SET total = $2, missing = $3
           WHERE id = $1 AND state = 'waiting' AND total = 0""",
        run_id,
        sum(counted),
        missing,
    ):
        await tx.execute(
            """INSERT INTO label_part (run, part, labels, skip, tags)
               SELECT $1, n.part, n.labels, CASE n.part WHEN 1 THEN $4 ELSE 0 END, n.said -> 'tags'
               FROM unnest($2::int[], $3::jsonb[]) WITH ORDINALITY AS n (labels, said, part)""",
            run_id,
            counted,
            # Bare lists would be one array of two dimensions.
            [{"tags": msgspec.to_builtins(list(part))} for part in parts],
            skip,
        )


async def next_part(reader: Reader, run_id: UUID) -> Part | None:
    """The first part of a run that is not drawn yet; None: all of them are."""
    return await reader.one(
        Part,
        """SELECT part, skip, tags FROM label_part WHERE run = $1 AND content IS NULL ORDER BY part LIMIT 1""",
        run_id,
    )


async def drawn(tx: Tx, run_id: UUID, part: int, content: bytes) -> None:
    """Keep a part, unless another process was quicker, and count its labels."""
    await tx.execute(
        """WITH kept AS (
               UPDATE label_part SET content = $3 WHERE run = $1 AND part = $2 AND content IS NULL RETURNING labels)
           UPDATE label_run r SET labels = r.labels + kept.labels FROM kept WHERE r.id = $1""",
        run_id,
        part,
        content,
    )


async def parts(reader: Reader, run_id: UUID) -> list[bytes]:
    """What was drawn, in order."""
    rows = await reader.rows(
        "SELECT content FROM label_part WHERE run = $1 AND content IS NOT NULL ORDER BY part", run_id
    )
    return [row["content"] for row in rows]


async def end(
    tx: Tx, run_id: UUID, state: RunState, *, missing: list[str] | None, reason: str, content: bytes
) -> bool:
    """The run is ready or failed; False if it was before. Its parts are needed no longer."""
    done = await tx.execute(
        """UPDATE label_run SET state = $2, missing = coalesce($3, missing), reason = $4, size = $5, ended_at = now()
           WHERE id = $1 AND state = 'waiting'""",
        run_id,
        str(state),
        missing,
        reason,
        len(content),
    )
    await tx.execute("DELETE FROM label_part WHERE run = $1", run_id)
    if done and content:
        await tx.execute("INSERT INTO label_file (run, content) VALUES ($1, $2)", run_id, content)
    return bool(done)


async def content(reader: Reader, run_id: UUID) -> bytes | None:
    """The file of a run."""
    found: bytes | None = await reader.value("SELECT content FROM label_file WHERE run = $1", run_id)
    return found


async def forget_old(database: Database) -> None:
    """Files of a week ago go, and what was asked for a quarter ago."""
    await delete_in_batches(
        database,
        """DELETE FROM label_file WHERE run IN (
               SELECT f.run FROM label_file f JOIN label_run r ON r.id = f.run
               WHERE r.ended_at < now() - interval '7 days' ORDER BY f.run LIMIT 100)""",
    )
    await delete_in_batches(
        database,
        """DELETE FROM label_run WHERE id IN (
               SELECT id FROM label_run WHERE ended_at < now() - interval '90 days' ORDER BY id LIMIT 1000)""",
    )
