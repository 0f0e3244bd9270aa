"""What ``samlad doctor`` looks at in segments: that who is in is who should be, and that the counts are right."""

from samlad.audiences import compiling, rules, store
from samlad.audiences.model import Segment
from samlad.kernel import clock
from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

SHOWN = 5


async def differences(database: Database, segment: Segment, definitions: rules.Definitions) -> int:
    """How many people are in who should not be, or the other way round. Who is on the way (followers, clock) counts too."""
    expanded = rules.expand(segment.definition, definitions, (segment.id,))
    compiled = compiling.compiled(expanded, segment.pool, clock.now(), segment.time_zone)
    place = len(compiled.args) + 1
    found: int = await database.value(
        f"""WITH {compiled.with_}
            SELECT count(*) FROM (SELECT person FROM truth WHERE is_in) AS t
                FULL JOIN (SELECT person FROM segment_member WHERE segment = ${place}) AS m USING (person)
            WHERE t.person IS NULL OR m.person IS NULL""",
        *compiled.args,
        segment.id,
    )
    return found


async def _members(database: Database) -> Finding:
    wrong = []
    segments = [each for each in await store.active(database) if each.built_version]
    for segment in segments:
        definitions = {each.id: each.definition for each in segments if each.pool == segment.pool}
        count = await differences(database, segment, definitions)
        if count:
            wrong.append(f"{segment.name}: {count}")
    troubled = [f"{each.name}: {each.trouble}" for each in segments if each.trouble]
    if not wrong and not troubled:
        return Finding("ok", f"{len(segments)} segments")
    advice = "While followers catch up this passes by itself; otherwise save the segment's conditions again"
    return Finding("warning", "; ".join((wrong + troubled)[:SHOWN]), advice)


async def _sizes(database: Database) -> Finding:
    rows = await database.rows(
        """SELECT s.name, s.size, count(m.person) AS truth
           FROM segment s LEFT JOIN segment_member m ON m.segment = s.id
           WHERE s.deleted_at IS NULL GROUP BY s.id HAVING s.size <> count(m.person) LIMIT 50"""
    )
    if not rows:
        return Finding("ok", "all of them")
    told = "; ".join(f"{row['name']}: {row['size']}, should be {row['truth']}" for row in rows[:SHOWN])
    return Finding("failed", told, "Nothing mends this by itself; please report it")


CHECKS = [
    Check("segment-members", "Who is in a segment is who its conditions say", _members),
    Check("segment-sizes", "Segments know their size", _sizes),
]
"""The checks of segments."""
