"""SQL of the tables ``paper_run``, ``paper_row`` and ``paper_file``."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from samlad.documents.papers_model import Made, PaperInput, PaperRow, PaperRun
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.jobs import delete_in_batches
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids

MOST_SHOWN = 200
_RUN = """r.id, r.what, r.form, r.state, r.reason, r.total, r.staff, r.asked_name, r.locations, r.created_at, r.ended_at,
          (SELECT count(*) FROM paper_row p WHERE p.run = r.id AND p.state = 'done')::int AS done,
          (SELECT count(*) FROM paper_row p WHERE p.run = r.id AND p.state = 'left_out')::int AS left_out,
          (SELECT count(*) FROM paper_file f WHERE f.run = r.id)::int AS files,
          (SELECT coalesce(sum(octet_length(f.content)), 0) FROM paper_file f WHERE f.run = r.id)::bigint AS size"""

RUNS = Listing(
    row=PaperRun,
    select=_RUN,
    source="paper_run r",
    key="r.id",
    sorts={"created_at": Sort("r.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "what": Filter("r.what = ANY({})", texts),
        "state": Filter("r.state = ANY({})", texts),
        "staff": Filter("r.staff = ANY({}::uuid[])", uuids),
    },
)
"""What was asked for, latest first."""


async def insert(tx: Tx, run: UUID, data: PaperInput, orders: Sequence[UUID]) -> bool:
    """Keep what somebody wants, and of which orders; False if it is there already."""
    added = await tx.execute(
        """INSERT INTO paper_run (id, what, form, staff, asked_name, locations, total)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING""",
        run,
        data.what,
        data.form,
        tx.actor.id,
        tx.actor.name,
        tx.actor.bound_to,
        len(orders),
    )
    if added:
        await tx.execute(
            """INSERT INTO paper_row (run, position, order_id)
               SELECT $1, n.position, n.id FROM unnest($2::uuid[]) WITH ORDINALITY AS n (id, position)""",
            run,
            list(orders),
        )
    return bool(added)


async def get(reader: Reader, run: UUID) -> PaperRun | None:
    """A run with its counts, or None."""
    return await reader.one(PaperRun, f"SELECT {_RUN} FROM paper_run r WHERE r.id = $1", run)


async def next_rows(reader: Reader, run: UUID, most: int) -> dict[int, UUID]:
    """The next orders of a run that goes on which have no outcome yet, by position."""
    rows = await reader.rows(
        """SELECT p.position, p.order_id FROM paper_row p JOIN paper_run r ON r.id = p.run
           WHERE p.run = $1 AND p.state = 'waiting' AND r.state = 'running' ORDER BY p.position LIMIT $2""",
        run,
        most,
    )
    return {row["position"]: row["order_id"] for row in rows}


async def keep(tx: Tx, run: UUID, part: int, left_out: Mapping[int, str], files: Sequence[Made]) -> bool:
    """Keep the files of a part and note what became of its orders; ``left_out`` are all its positions, '' for those that are in.

    False if another process was quicker, or the run was stopped.
    """
    # Who goes on with a run holds its row, so that each part is made once.
    if not await tx.value("SELECT 1 FROM paper_run WHERE id = $1 AND state = 'running' FOR UPDATE", run):
        return False
    noted = await tx.execute(
        """UPDATE paper_row p SET reason = n.reason, part = $2, state = CASE n.reason WHEN '' THEN 'done' ELSE 'left_out' END
           FROM unnest($3::int[], $4::text[]) AS n (position, reason)
           WHERE p.run = $1 AND p.position = n.position AND p.state = 'waiting'""",
        run,
        part,
        list(left_out),
        [reason[:500] for reason in left_out.values()],
    )
    if not noted:
        return False
    await _insert_files(tx, run, part, files)
    return True


async def _insert_files(tx: Tx, run: UUID, part: int, files: Sequence[Made]) -> None:
    await tx.execute(
        """INSERT INTO paper_file (run, part, place, name, content)
           SELECT $1, $2, n.place, n.name, n.content
           FROM unnest($3::text[], $4::bytea[]) WITH ORDINALITY AS n (name, content, place)""",
        run,
        part,
        [file.name for file in files],
        [file.content for file in files],
    )


async def parts(reader: Reader, run: UUID) -> list[tuple[int, int]]:
    """The parts of a run that have files, in order, each with its orders."""
    rows = await reader.rows(
        """SELECT f.part, (SELECT count(*) FROM paper_row p WHERE p.run = $1 AND p.part = f.part)::int AS orders
           FROM (SELECT DISTINCT part FROM paper_file WHERE run = $1) AS f ORDER BY f.part""",
        run,
    )
    return [(row["part"], row["orders"]) for row in rows]


async def replace(tx: Tx, run: UUID, old: Sequence[int], file: Made) -> None:
    """Put one file in place of those of some parts, which become one; nothing if one of them is gone."""
    await tx.value("SELECT 1 FROM paper_run WHERE id = $1 FOR UPDATE", run)
    gone = await tx.execute("DELETE FROM paper_file WHERE run = $1 AND part = ANY ($2)", run, list(old))
    if gone != len(old):
        return
    await _insert_files(tx, run, old[0], [file])
    await tx.execute(
        "UPDATE paper_row SET part = $3 WHERE run = $1 AND part = ANY ($2)", run, list(old), old[0]
    )


async def places(reader: Reader, run: UUID) -> list[tuple[int, int]]:
    """The files of a run in order, each by part and place."""
    rows = await reader.rows("SELECT part, place FROM paper_file WHERE run = $1 ORDER BY part, place", run)
    return [(row["part"], row["place"]) for row in rows]


async def file(reader: Reader, run: UUID, part: int, place: int) -> Made | None:
    """A file, or None if it was forgotten meanwhile."""
    return await reader.one(
        Made,
        "SELECT name, content FROM paper_file WHERE run = $1 AND part = $2 AND place = $3",
        run,
        part,
        place,
    )


async def end(tx: Tx, run: UUID, state: str, reason: str = "") -> bool:
    """End a run that goes on; ``ready`` only once no order waits. Whether it ended now."""
    return bool(
        await tx.execute(
            """UPDATE paper_run SET state = $2, reason = $3, ended_at = now() WHERE id = $1 AND state = 'running'
               AND ($2 <> 'ready' OR NOT EXISTS (SELECT FROM paper_row WHERE run = $1 AND state = 'waiting'))""",
            run,
            state,
            reason,
        )
    )


async def left_out(reader: Reader, run: UUID) -> list[PaperRow]:
    """The orders of a run that have no such paper."""
    return await reader.all(
        PaperRow,
        """SELECT p.order_id, o.number, p.reason FROM paper_row p JOIN orders o ON o.id = p.order_id
           WHERE p.run = $1 AND p.state = 'left_out' ORDER BY p.position LIMIT $2""",
        run,
        MOST_SHOWN,
    )


async def forget_old(database: Database) -> None:
    """Files of three days ago go, and what was asked for a month ago."""
    await delete_in_batches(
        database,
        """DELETE FROM paper_file WHERE (run, part, place) IN (
               SELECT f.run, f.part, f.place FROM paper_run r JOIN paper_file f ON f.run = r.id
               WHERE r.ended_at < now() - interval '3 days' LIMIT 100)""",
    )
    await delete_in_batches(
        database,
        """DELETE FROM paper_run WHERE id IN (
               SELECT id FROM paper_run WHERE ended_at < now() - interval '30 days' ORDER BY id LIMIT 10)""",
    )
