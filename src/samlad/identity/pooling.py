"""What identity has in pools: identifiers, what was seen of them, and what people decided.

Identifiers keep their ids. Where the other pool knows the same one, what was seen with ours is from then on what was seen
with that; ours stays behind and leads there (``person``), as its id may be written down somewhere. Then it is computed
anew who is who. On the way back what came goes back as it was, and what the others have seen since stays with them.
"""

from uuid import UUID

from samlad import customers
from samlad.channels import Resource
from samlad.channels.pooling import Finding, Level, Move, MoveKind, Pooling, Step, Turn
from samlad.identity import followers, store  # noqa: F401 - followers declares the job
from samlad.identity.observing import observe
from samlad.identity.preparing import sighting_of_customer
from samlad.identity.projecting import project
from samlad.kernel import jobs
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked
from samlad.kernel.ids import new_id

PROFILES = 100
"""Identifiers around which is looked in one turn."""


async def look(reader: Reader, move: Move) -> list[Finding]:
    """How many identifiers both know, beside those that are numbers and addresses of customers."""
    if move.kind is MoveKind.LEAVE:
        return []
    total = await reader.value("SELECT count(*) FROM identity_node WHERE pool = $1", move.old)
    both = await reader.value(
        """SELECT count(*) FROM identity_node a JOIN identity_node b ON b.pool = $2 AND b.kind = a.kind AND b.value = a.value
           WHERE a.pool = $1""",
        move.old,
        move.new,
    )
    rules = await reader.value(
        "SELECT EXISTS (SELECT FROM identity_rules WHERE pool = $1 AND status = 'active')", move.old
    )
    found = [
        Finding(
            code="identity",
            level=Level.INFO,
            text=marked("Identifiers (e-mail addresses, phones, devices) that come along"),
            count=total,
            is_moved=True,
        ),
        Finding(
            code="identity-both",
            level=Level.INFO,
            text=marked(
                "Of these, identifiers that the others know too: who is who is computed anew around them"
            ),
            count=both,
        ),
        Finding(
            code="identity-rules",
            level=Level.WARNING,
            text=marked(
                "The channel has rules of its own for who is who; in the shared pool those of that hold"
            ),
            count=int(rules),
        ),
    ]
    return [each for each in found if each.count]


_TWINS = """(SELECT row AS old, twin AS new FROM pool_move_row
             WHERE move = $1 AND subject = 'identity_node' AND twin IS NOT NULL)"""


def _mapped(column: str) -> str:
    """An array of identifiers with their twins instead of those that have one."""
    return f"""coalesce((SELECT array_agg(coalesce(w.new, u.n) ORDER BY u.place)
                         FROM unnest({column}) WITH ORDINALITY AS u (n, place) LEFT JOIN {_TWINS} w ON w.old = u.n),
                        {column})"""


async def carry(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Everything at once, while nobody else changes who is who in either pool."""
    assert move.home is not None
    for pool in sorted((move.home, move.shared), key=lambda each: each.bytes):
        await store.take_pool(tx, pool)
    return Turn(await (_join if move.kind is MoveKind.JOIN else _leave)(tx, move))


async def _join(tx: Tx, move: Move) -> int:
    moved = await tx.execute(
        """
        INSERT INTO pool_move_row (move, subject, row, twin, before)
        SELECT $3, 'identity_node', a.id, b.id,
               jsonb_build_object('profile', a.profile, 'person', a.person, 'state', a.state, 'fan_out', a.fan_out,
                                  'is_known', a.is_known)
        FROM identity_node a LEFT JOIN identity_node b ON b.pool = $2 AND b.kind = a.kind AND b.value = a.value
        WHERE a.pool = $1
        """,
        move.old,
        move.new,
        move.id,
    )
    for sql in (
        # What has no twin there goes; what stood for a group here and has one hands that over until it is computed.
        f"""UPDATE identity_node n SET pool = $2, profile = coalesce(p.profile, n.profile),
                   person = coalesce(w.new, n.person)
            FROM pool_move_row j LEFT JOIN {_TWINS} h ON h.old = (j.before ->> 'profile')::uuid
                 LEFT JOIN identity_node p ON p.id = h.new
                 LEFT JOIN {_TWINS} w ON w.old = (j.before ->> 'person')::uuid
            WHERE j.move = $1 AND j.subject = 'identity_node' AND j.twin IS NULL AND n.id = j.row""",
        f"""UPDATE identity_node n SET person = w.new, profile = n.id FROM {_TWINS} w
            WHERE n.id = w.old AND $2::uuid IS NOT NULL""",
        f"""WITH kept AS (
                INSERT INTO pool_move_row (move, subject, row, before)
                SELECT $1, 'identity_sighting', id, jsonb_build_object('nodes', nodes, 'device', device)
                FROM identity_sighting WHERE pool = $3
            )
            UPDATE identity_sighting s SET pool = $2, nodes = {_mapped("s.nodes")},
                   device = coalesce((SELECT new FROM {_TWINS} w WHERE w.old = s.device), s.device)
            WHERE s.pool = $3""",
        f"""UPDATE identity_sighting_node s SET node = w.new FROM {_TWINS} w
            WHERE s.node = w.old AND $2::uuid IS NOT NULL""",
        f"""WITH kept AS (
                INSERT INTO pool_move_row (move, subject, row, before)
                SELECT $1, 'identity_pin', id, jsonb_build_object('left', left_nodes, 'right', right_nodes)
                FROM identity_pin WHERE pool = $3
            )
            UPDATE identity_pin p SET pool = $2, left_nodes = {_mapped("p.left_nodes")},
                   right_nodes = {_mapped("p.right_nodes")}
            WHERE p.pool = $3""",
        f"""UPDATE identity_pin_node p SET node = w.new FROM {_TWINS} w
            WHERE p.node = w.old AND $2::uuid IS NOT NULL""",
    ):
        args = [move.id, move.new] + ([move.old] if "$3" in sql else [])
        await tx.execute(sql, *args)
    return moved


async def _leave(tx: Tx, move: Move) -> int:
    if move.joined is None:
        return 0
    told_again = await _take_out(tx, move)
    copies = await _copy(tx, move)
    twins_back = _TWINS.replace("$1", "$4")
    for sql in (
        # What the others have seen since with what goes back, they have seen with a copy that stays.
        f"""UPDATE identity_sighting s SET nodes = {_mapped("s.nodes")},
                   device = coalesce((SELECT new FROM {_TWINS} w WHERE w.old = s.device), s.device)
            WHERE s.pool = $3 AND s.id IN (SELECT sighting FROM identity_sighting_node WHERE node IN (SELECT old FROM {_TWINS} w))
              AND $2::uuid IS NOT NULL AND $4::uuid IS NOT NULL
              AND NOT EXISTS (SELECT FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'identity_sighting' AND j.row = s.id)""",
        f"""UPDATE identity_sighting_node s SET node = w.new FROM {_TWINS} w
            WHERE s.node = w.old AND $2::uuid IS NOT NULL AND $3::uuid IS NOT NULL
              AND NOT EXISTS (SELECT FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'identity_sighting'
                              AND j.row = s.sighting)""",
        # What came goes back as it was.
        f"""UPDATE identity_sighting_node s SET node = w.old FROM {twins_back} w
            WHERE s.node = w.new AND $1::uuid IS NOT NULL AND $2::uuid IS NOT NULL AND $3::uuid IS NOT NULL
              AND EXISTS (SELECT FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'identity_sighting'
                          AND j.row = s.sighting)""",
        """UPDATE identity_sighting s SET pool = $2, device = (j.before ->> 'device')::uuid,
                  nodes = ARRAY(SELECT jsonb_array_elements_text(j.before -> 'nodes'))::uuid[]
           FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'identity_sighting' AND s.id = j.row
             AND $1::uuid IS NOT NULL AND $3::uuid IS NOT NULL""",
        f"""UPDATE identity_pin_node p SET node = w.old FROM {twins_back} w
            WHERE p.node = w.new AND $1::uuid IS NOT NULL AND $2::uuid IS NOT NULL AND $3::uuid IS NOT NULL
              AND EXISTS (SELECT FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'identity_pin' AND j.row = p.pin)""",
        """UPDATE identity_pin p SET pool = $2,
                  left_nodes = ARRAY(SELECT jsonb_array_elements_text(j.before -> 'left'))::uuid[],
                  right_nodes = ARRAY(SELECT jsonb_array_elements_text(j.before -> 'right'))::uuid[]
           FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'identity_pin' AND p.id = j.row
             AND $1::uuid IS NOT NULL AND $3::uuid IS NOT NULL""",
        """UPDATE identity_node n SET pool = $2, profile = (j.before ->> 'profile')::uuid,
                  person = (j.before ->> 'person')::uuid, state = j.before ->> 'state',
                  fan_out = (j.before ->> 'fan_out')::int, is_known = (j.before ->> 'is_known')::boolean
           FROM pool_move_row j WHERE j.move = $4 AND j.subject = 'identity_node' AND n.id = j.row
             AND $1::uuid IS NOT NULL AND $3::uuid IS NOT NULL""",
    ):
        await tx.execute(sql, move.id, move.new, move.old, move.joined)
    for customer in told_again:
        row = await customers.get(tx, customer)
        if row is not None:
            await observe(tx, [sighting_of_customer(row, row.updated_at, str(move.id))])
    return len(copies)


_HOMECOMING = """(SELECT n.id FROM pool_move_row g JOIN identity_node n ON n.id = g.row
                    WHERE g.move = $1 AND g.subject = 'customer')"""


async def _take_out(tx: Tx, move: Move) -> list[UUID]:
    """Customers that go back leave what was seen with them since; what their rows say is seen anew at home."""
    rows = await tx.rows(
        f"""
        WITH gone AS (
            DELETE FROM identity_sighting_node s
            WHERE s.node IN {_HOMECOMING} AND NOT EXISTS (
                SELECT FROM pool_move_row k WHERE k.move = $2 AND k.subject = 'identity_sighting' AND k.row = s.sighting)
            RETURNING s.node, s.sighting
        ), cut AS (
            UPDATE identity_sighting s
            SET nodes = ARRAY(SELECT u.n FROM unnest(s.nodes, s.ceilings) WITH ORDINALITY AS u (n, c, place)
                              WHERE u.n <> ALL (g.nodes) ORDER BY place),
                ceilings = ARRAY(SELECT u.c FROM unnest(s.nodes, s.ceilings) WITH ORDINALITY AS u (n, c, place)
                                 WHERE u.n <> ALL (g.nodes) ORDER BY place)
            FROM (SELECT sighting, array_agg(node) AS nodes FROM gone GROUP BY 1) AS g WHERE s.id = g.sighting
        ), around AS (  -- whom they were seen with: there it is computed anew who is who
            INSERT INTO pool_move_row (move, subject, row)
            SELECT DISTINCT $1, 'identity around', s.node FROM identity_sighting_node s JOIN gone USING (sighting)
            WHERE s.node NOT IN {_HOMECOMING}
        ), unknown AS (  -- not known yet when the channel joined
            UPDATE identity_node n SET pool = $3, profile = n.id, person = NULL, state = 'live', fan_out = NULL
            WHERE n.id IN {_HOMECOMING} AND n.pool = $4 AND NOT EXISTS (
                SELECT FROM pool_move_row j WHERE j.move = $2 AND j.subject = 'identity_node' AND j.row = n.id)
            RETURNING n.id
        )
        SELECT node AS id FROM gone UNION SELECT id FROM unknown ORDER BY 1
        """,
        move.id,
        move.joined,
        move.new,
        move.old,
    )
    return [row["id"] for row in rows]


async def _copy(tx: Tx, move: Move) -> list[UUID]:
    """Copies, for the others, of identifiers that go back and that they have seen since; a customer is nobody's copy."""
    rows = await tx.rows(
        """
        SELECT n.id FROM pool_move_row j JOIN identity_node n ON n.id = j.row
        WHERE j.move = $1 AND j.subject = 'identity_node' AND j.twin IS NULL AND n.kind <> 'customer'
          AND EXISTS (SELECT FROM identity_sighting_node s WHERE s.node = n.id AND NOT EXISTS (
                  SELECT FROM pool_move_row k
                  WHERE k.move = $1 AND k.subject = 'identity_sighting' AND k.row = s.sighting))
        ORDER BY n.id
        """,
        move.joined,
    )
    old = [row["id"] for row in rows]
    new = [new_id() for _ in old]
    await tx.execute(
        """
        WITH made AS (
            SELECT t.old, t.new, n.kind, n.value, n.alias FROM unnest($2::uuid[], $3::uuid[]) AS t (old, new)
            JOIN identity_node n ON n.id = t.old
        ), aside AS (  -- its pool and value are unique: first the copy gets a pool in which it is alone
            UPDATE identity_node n SET pool = $4 FROM made WHERE n.id = made.old
        )
        INSERT INTO pool_move_row (move, subject, row, twin) SELECT $1, 'identity_node', old, new FROM made
        """,
        move.id,
        old,
        new,
        move.new,
    )
    await tx.execute(
        """
        INSERT INTO identity_node (id, pool, kind, value, alias, profile)
        SELECT j.twin, $2, n.kind, n.value, n.alias, j.twin FROM pool_move_row j JOIN identity_node n ON n.id = j.row
        WHERE j.move = $1 AND j.subject = 'identity_node' AND j.twin IS NOT NULL
        """,
        move.id,
        move.old,
    )
    return new


async def who_is_who(tx: Tx, move: Move, cursor: UUID | None, _limit: int) -> Turn:
    """Compute profiles anew around the identifiers that both pools know."""
    rows = await tx.rows(
        """
        SELECT DISTINCT n.id FROM pool_move_row j JOIN identity_node n ON n.id = coalesce(j.twin, j.row) AND n.pool = $4
        WHERE j.move = ANY ($1::uuid[]) AND ($2::uuid IS NULL OR n.id > $2)
          AND ((j.subject = 'identity_node' AND j.twin IS NOT NULL) OR j.subject = 'identity around')
        ORDER BY n.id LIMIT $3
        """,
        [move.id, move.joined],
        cursor,
        PROFILES,
        move.shared,
    )
    nodes = [row["id"] for row in rows]
    if nodes:
        await store.share_pool(tx, move.shared)
        await project(tx, move.shared, nodes)
    return Turn(0, nodes[-1] if len(nodes) == PROFILES else None)


async def apart(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """After leaving nobody may lead to somebody of the other pool, not even for a moment."""
    cursor = None
    while move.kind is MoveKind.LEAVE:
        cursor = (await who_is_who(tx, move, cursor, 0)).cursor
        if cursor is None:
            break
    return Turn(0)


async def catch_up(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """Customers that an import brought shortly before may not have been seen where they were: they are where they are now."""
    await jobs.defer(
        tx, "identity.catch-up", {"pool": move.new}, queueing_lock=f"identity.catch-up {move.new}"
    )
    return Turn(0)


_RULES = "rules are those of their pool"
_HISTORY = "the history of what was decided there"

POOLING = Pooling(
    order=35,
    moves={
        "identity_node": Resource.CUSTOMERS,
        "identity_sighting": Resource.CUSTOMERS,
        "identity_pin": Resource.CUSTOMERS,
    },
    stays={"identity_rules": _RULES, "identity_change": _HISTORY, "identity_conflict": _HISTORY},
    look={Resource.CUSTOMERS: look},
    steps={
        Resource.CUSTOMERS: [
            Step("identity", carry, with_switch=True),
            Step("apart", apart, with_switch=True),
            Step("who is who", who_is_who),
            Step("catch up", catch_up),
        ]
    },
)
