"""What lots have in pools: they go where their goods go, and lots of one number of goods that become one are one lot.

Two that say something else of themselves (another last good day, a recall, a serial number that lies at both) cannot be one
before a person has said which is right.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad.channels.pooling import SHOWN, Finding, Level, Move, MoveKind, Step, Turn, examples
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict

# Lots with units whose goods are to be one with others that have a lot of the same number: $1 the channel's, $2 the others'.
_BOTH = """FROM catalogue_pairs($1, $2) g JOIN lot o ON o.variant = g.variant AND o.code <> ''
           JOIN lot n ON n.variant = g.twin AND n.code = o.code
           CROSS JOIN LATERAL (SELECT coalesce(sum(on_hand), 0) AS units, bool_or(is_serial) AS is_serial FROM stock_lot s
                               WHERE s.lot = o.id AND s.on_hand > 0) ours
           CROSS JOIN LATERAL (SELECT coalesce(sum(on_hand), 0) AS units FROM stock_lot s WHERE s.lot = n.id) theirs
           WHERE g.state IN ('gtin', 'sku', 'hand') AND ours.units > 0"""
_DAY = "concat_ws(' · ', o.code, o.expires_on)", "concat_ws(' · ', n.code, n.expires_on)"
_RECALLED = "CASE WHEN {0}.recall IS NULL THEN {0}.code ELSE {0}.code || ' ⛔' END"
_AGAINST = (
    (
        "stock-lot-dates",
        "o.expires_on IS DISTINCT FROM n.expires_on",
        _DAY,
        marked("Lots of one number with another last good day on each side"),
        marked("Look at the pieces and say on the page Lots which day is right; then they are one lot."),
    ),
    (
        "stock-lot-recalls",
        "(o.recall IS NULL) <> (n.recall IS NULL)",
        (_RECALLED.format("o"), _RECALLED.format("n")),
        marked("Lots that are recalled on one side only"),
        marked("Recall them on the other side, too, or end the recall: they become one lot."),
    ),
    (
        "stock-serials",
        "ours.is_serial AND theirs.units > 0",
        ("o.code", "n.code"),
        marked("Serial numbers of which a piece lies on both sides"),
        marked("Count them: a number is one piece, so one of both is another."),
    ),
)
"""What contradicts: code, when, what is shown of each side, text, what would be right."""


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Of a catalogue that joins: lots that become one, and those that cannot."""
    if move.kind is MoveKind.LEAVE:
        return []
    found = []
    for code, against, (here, there), text, advice in _AGAINST:
        count, shown = await examples(
            reader,
            f"""SELECT g.sku AS label, {here} AS here, {there} AS there, count(*) OVER () AS total {_BOTH} AND ({against})
                ORDER BY g.sku, o.code LIMIT {SHOWN}""",
            move.home,
            move.shared,
        )
        found.append(
            Finding(code=code, level=Level.BLOCKING, text=text, advice=advice, count=count, examples=shown)
        )
    count, shown = await examples(
        reader,
        f"""SELECT g.sku AS label, concat_ws(' · ', o.code, ours.units) AS here, concat_ws(' · ', n.code, theirs.units) AS there,
                   count(*) OVER () AS total {_BOTH} ORDER BY g.sku, o.code LIMIT {SHOWN}""",
        move.home,
        move.shared,
    )
    found.append(
        Finding(
            code="stock-lots-same",
            level=Level.INFO,
            text=marked("Lots that both have: each becomes one"),
            count=count,
            examples=shown,
        )
    )
    return [each for each in found if each.count]


async def agree(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Before any goods are renamed: nothing has begun to contradict itself since the plan, and own goods that go on are kept
    by lot as those were that stood for them.

    Raises:
        Conflict: lots do contradict each other by now; the move is tried again until somebody settled it.
    """
    if move.kind is MoveKind.JOIN:
        # The goods have their counterparts by now, so the question is asked of those.
        against = " OR ".join(f"({each[1]})" for each in _AGAINST)
        both = _BOTH.replace(
            "catalogue_pairs($1, $2) g",
            """(SELECT id AS variant, twin, sku, 'hand' AS state FROM variant WHERE pool = $1 AND twin IS NOT NULL
                AND $2::uuid IS NOT NULL) g""",
        )
        rows = await tx.rows(
            f"SELECT g.sku, o.code {both} AND ({against}) ORDER BY 1, 2 LIMIT {SHOWN}", move.home, move.shared
        )
        if rows:
            lots = ", ".join(f"{row['sku']} {row['code']}" for row in rows)
            raise Conflict(f"Lots contradict each other since the plan was made: {lots}.")
        return Turn(0)
    changed = await tx.execute(
        """
        UPDATE product p SET tracking = q.tracking, min_days_left = q.min_days_left
        FROM (SELECT DISTINCT ON (v.product) v.product, t.product AS there
              FROM pool_move_row j JOIN variant v ON v.id = j.row JOIN variant t ON t.id = j.twin
              WHERE j.move = $1 AND j.subject = 'variant' AND v.pool = $2 ORDER BY v.product, v.id) n
             JOIN product q ON q.id = n.there
        WHERE p.id = n.product AND p.tracking <> q.tracking
        """,
        move.joined,
        move.home,
    )
    return Turn(changed)


AGREE = Step("what lots say", agree, with_switch=True)


async def keep_recalls(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """What was recalled while goods were one is recalled of the channel's own, too, also where none is left of it: it went to people."""
    if move.kind is MoveKind.JOIN:
        return Turn(0)
    row = await tx.row(
        """
        SELECT array_agg(n.id) AS lots, array_agg(o.variant) AS variants
        FROM pool_move_row j JOIN pool_move m ON m.id = j.move JOIN lot o ON o.variant = j.row
             JOIN lot n ON n.variant = j.twin AND n.code = o.code JOIN stock_recall r ON r.id = n.recall
        WHERE j.move = $1 AND j.subject = 'variant' AND r.created_at >= m.started_at AND o.recall IS NULL
        """,
        move.joined,
    )
    if row is None or row["lots"] is None:
        return Turn(0)
    await tx.execute(
        "SELECT stock_lots_stand_in($1::uuid[], $2::uuid[], $3, true)",
        row["lots"],
        row["variants"],
        tx.actor.label,
    )
    return Turn(len(row["lots"]))


RECALLS = Step("recalls", keep_recalls, with_switch=True)


def lots_of(table: str, *, with_switch: bool = False) -> Step:
    """The step of a table whose rows name a variant (renamed by an earlier step) and a lot: the lot is that of the variant."""

    async def run(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
        row = await tx.row(
            f"""
            WITH renamed AS (
                SELECT id AS variant FROM variant WHERE pool = $3 AND twin IS NOT NULL AND $2::uuid IS NULL
                UNION SELECT unnest(ARRAY[j.row, j.twin]) FROM pool_move_row j
                      WHERE j.move IN ($1, $2) AND j.subject IN ('variant', 'variant copy') AND j.twin IS NOT NULL
            )
            SELECT array_agg(l.lot) AS lots, array_agg(l.variant) AS variants
            FROM (SELECT DISTINCT t.lot, t.variant FROM renamed r JOIN lot o ON o.variant = r.variant
                  JOIN {table} t ON t.lot = o.id WHERE t.variant <> o.variant) l
            """,
            move.id,
            move.joined,
            move.home,
        )
        if row is None or row["lots"] is None:
            return Turn(0)
        return Turn(await _follow(tx, table, row["lots"], row["variants"]))

    return Step(f"lots of {table}", run, with_switch)


async def _follow(tx: Tx, table: str, lots: Sequence[UUID], variants: Sequence[UUID]) -> int:
    await tx.execute(
        "SELECT stock_lots_stand_in($1::uuid[], $2::uuid[], $3, false)", lots, variants, tx.actor.label
    )
    return await tx.execute(
        f"""UPDATE {table} t SET lot = n.id FROM unnest($1::uuid[], $2::uuid[]) AS p (lot, variant)
            JOIN lot o ON o.id = p.lot JOIN lot n ON n.variant = p.variant AND n.code = o.code
            WHERE t.lot = p.lot AND t.variant = p.variant""",
        lots,
        variants,
    )


async def stand_ins(reader: Reader, names: dict[UUID, UUID]) -> dict[UUID, UUID]:
    """Which lots stand for which when variants get other names: those of the same number that are there."""
    rows = await reader.rows(
        """SELECT o.id, n.id AS there FROM unnest($1::uuid[], $2::uuid[]) AS p (here, there)
           JOIN lot o ON o.variant = p.here JOIN lot n ON n.variant = p.there AND n.code = o.code""",
        list(names),
        list(names.values()),
    )
    return {row["id"]: row["there"] for row in rows}
