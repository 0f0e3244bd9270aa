"""Everything that happened to a person, over all channels: a list over the log and over what clients report.

Orders of history, which an import brought, are on the log all together; here each is where it was placed. Events are never
rewritten: the list is read under every id that the person has, so that it follows merges and splits.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from samlad import customers, identity
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader
from samlad.kernel.listing import Filter, Listing, ListQuery, Sort, texts, uuids
from samlad.payments import MARKETPLACE
from samlad.profile.model import BROWSING, KINDS, TimelineRow

_KIND = "CASE split_part(e.type, '.', 1) {} ELSE 'other' END".format(
    " ".join(
        f"WHEN '{beginning}' THEN '{kind}'"
        for kind, (_, beginnings) in KINDS.items()
        for beginning in beginnings
    )
)
_LOG = (
    f"e.id, e.occurred_at AS at, {_KIND} AS kind, e.type, e.channel, e.subject, e.actor, e.payload AS facts"
)
# Of what clients report only who, when and which is read of every event; the rest of those that are shown.
_TRACKED = "FROM tracked_event x WHERE x.received_at = t.received_at AND x.id = t.id"
# What the log has is told a second time in Segment's words; the ids of those events are made of the log's (`tracking.own`).
_IS_OF_THE_LOG = "get_byte(uuid_send(p.event), 6) >> 4 = 5"
_CHANNEL = f"""coalesce(t.channel, (SELECT s.channel FROM tracking_source s
                                    WHERE s.id = (SELECT x.source {_TRACKED})))"""


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("say the time zone")
    return found


TIMELINE: Listing[TimelineRow] = Listing(
    row=TimelineRow,
    select=f"""t.id, t.at, t.kind, coalesce(t.type, (SELECT x.type {_TRACKED})) AS type,
               CASE WHEN t.received_at IS NOT NULL THEN (SELECT x.name {_TRACKED}) END AS name, {_CHANNEL} AS channel, t.subject, t.actor,
               coalesce(t.facts, (SELECT x.payload -> 'properties' {_TRACKED})) AS facts""",
    source=f"""(
        SELECT {_LOG}, NULL::timestamptz AS received_at FROM event e WHERE e.profile = ANY ($1::uuid[])
        UNION ALL
        SELECT {_LOG}, NULL FROM orders o JOIN event e ON e.subject = o.id AND e.profile IS NULL
        WHERE o.customer = ANY ($2::uuid[])
        UNION ALL
        SELECT o.id, o.placed_at, 'orders', CASE o.kind WHEN 'return' THEN 'order.returned' ELSE 'order.placed' END,
               o.channel, o.id, o.actor, jsonb_build_object('number', o.number, 'total', o.total, 'currency', o.currency),
               NULL
        FROM orders o WHERE o.customer = ANY ($2) AND o.imported <> '{MARKETPLACE}'
        UNION ALL
        SELECT p.event, p.occurred_at, '{BROWSING}', NULL, NULL, NULL, NULL, NULL, p.received_at
        FROM tracked_profile p WHERE p.identity = ANY ($1) AND NOT {_IS_OF_THE_LOG}) t
        WHERE t.kind = ANY ($3::text[]) AND ($4::uuid[] IS NULL OR t.kind NOT IN ('orders', 'payments', 'documents')
            OR t.subject IN (SELECT id FROM orders WHERE location = ANY ($4)))""",
    key="t.id",
    sorts={"at": Sort("t.at", "timestamptz")},
    default_sort="-at",
    filters={
        "kind": Filter("t.kind = ANY({}::text[])", texts),
        "channel": Filter(f"{_CHANNEL} = ANY({{}}::uuid[])", uuids),
        "from": Filter("t.at >= {}", _moment),
        "to": Filter("t.at < {}", _moment),
    },
)
"""The newest first; scoped by `scope_of`."""


_SINCE = f"""
    SELECT min(at) FROM (SELECT at FROM (
        SELECT e.occurred_at AS at FROM unnest($1::uuid[]) AS i (id) CROSS JOIN LATERAL (
            SELECT occurred_at FROM event e WHERE e.profile = i.id AND {_KIND} = ANY ($3::text[])
            ORDER BY seq DESC LIMIT $5) e
        UNION ALL
        SELECT p.occurred_at FROM unnest($1) AS i (id) CROSS JOIN LATERAL (
            SELECT occurred_at FROM tracked_profile p
            WHERE p.identity = i.id AND NOT {_IS_OF_THE_LOG} AND '{BROWSING}' = ANY ($3)
            ORDER BY occurred_at DESC LIMIT $5) p) t
        WHERE $2::uuid[] IS NOT NULL AND $4::uuid[] IS NULL
        ORDER BY at DESC LIMIT $5) newest HAVING count(*) = $5"""
"""A moment at or before that of the last of so many newest rows, found by indexes: of some rows the last of so many is never later
than of all. Null where it says nothing, as for those who see the orders of some places only."""


async def newest(reader: Reader, count: int, *scope: list[UUID] | list[str] | None) -> list[TimelineRow]:
    """The newest rows of a timeline (``scope`` as of `scope_of`), without looking at all of it. Two statements."""
    since = await reader.value(_SINCE, *scope, count)
    filters = {} if since is None else {"from": since.isoformat()}
    return (await TIMELINE.page(reader, ListQuery(limit=count, filters=filters), *scope)).items


async def ids_of(reader: Reader, customer: UUID, members: Sequence[UUID]) -> list[UUID]:
    """Every id under which something of a person was kept."""
    return sorted({*members, *await identity.ids_of(reader, customer)})


async def scope_of(
    reader: Reader, actor: Actor, customer: UUID
) -> tuple[list[UUID], list[UUID], list[str], list[UUID] | None]:
    """What `TIMELINE` is read for: a person's ids and customers, the kinds that the actor may see, and where orders may
    be seen."""
    members = await customers.members(reader, customer)
    ids = await ids_of(reader, customer, members)
    locations = actor.bound_to
    return ids, members, kinds_of(actor), locations


def kinds_of(actor: Actor) -> list[str]:
    """The kinds of a timeline that somebody may see."""
    return [kind for kind, (permission, _) in KINDS.items() if actor.may(permission)]
