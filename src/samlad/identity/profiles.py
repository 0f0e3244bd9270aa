"""A person as we know them: identifiers with their evidence, fields with who said what, what they spent."""

from collections import defaultdict
from uuid import UUID

from samlad import customers
from samlad.identity import profile_store, store
from samlad.identity.model import FIELDS, Evidence, Kind, KnownIdentifier, Profile, Spent
from samlad.identity.reconciling import reconcile
from samlad.kernel.database import Reader
from samlad.kernel.problems import NotFound


async def read(reader: Reader, any_id: UUID) -> Profile:
    """The profile that an id belongs to now: a customer's, an identifier's, or one that a profile had.

    Raises:
        NotFound: nothing was seen of such a one yet.
    """
    found = await profile_store.identifiers_of(reader, any_id)
    if not found:
        raise NotFound("There is no such profile.")
    pool, profile = found[0].pool, found[0].profile
    people = [node for node in found if node.kind != Kind.SIGHTING]
    rows = [node.id for node in people if node.kind == Kind.CUSTOMER]
    rows.sort(key=lambda row: (row != profile, row))
    evidence = await _evidence(reader, [node.id for node in people])
    values = await profile_store.values_of(reader, rows)
    rules = (await store.rules_of(reader, [pool]))[pool]
    spend = await customers.spend_of(reader, rows[0]) if rows else []
    return Profile(
        id=profile,
        pool=pool,
        customers=rows,
        identifiers=[
            KnownIdentifier(
                id=node.id,
                kind=node.kind,
                value=node.value,
                state=node.state,
                fan_out=node.fan_out,
                is_known=node.is_known,
                evidence=evidence[node.id],
            )
            for node in people
        ],
        moments=len(found) - len(people),
        fields={field: reconcile(values, field, rules) for field in FIELDS},
        spent=[
            Spent(currency=s.currency, orders=s.orders, spent=s.spent, last_order_at=s.last_order_at)
            for s in spend
        ],
    )


async def _evidence(reader: Reader, nodes: list[UUID]) -> dict[UUID, list[Evidence]]:
    found: dict[UUID, list[Evidence]] = defaultdict(list)
    for row in await profile_store.evidence_of(reader, nodes):
        for node in row.nodes:
            evidence = Evidence(
                sighting=row.id,
                source=row.source,
                channel=row.channel,
                device_class=row.device_class,
                auth=row.auth,
                others=[other for other in row.nodes if other != node],
                first_seen=row.first_seen,
                last_seen=row.last_seen,
            )
            found[node].append(evidence)
    return found
