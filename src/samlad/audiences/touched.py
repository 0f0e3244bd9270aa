"""Whose data an event changes, and what kind of data: from that which segments can be touched, and by whom."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from samlad.audiences import kinds
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.log import Event

EVERYTHING = "everything"
"""The source of what can touch any segment: there is a new person, or one became two."""

IDENTITY = ("identity.merged", "profile.split", "identity.customers_led")
ORDERS = (
    "order.arrived",
    "order.cancelled",
    "order.changed",
    "order.customer_linked",
    "order.goods_named",
    "order.imported",
    "order.placed",
    "order.returned",
    "order.returned_without_receipt",
)
CARTS = (
    "cart.abandoned",
    "cart.checkout_started",
    "cart.created",
    "cart.details_set",
    "cart.line_changed",
    "cart.made_current",
    "cart.merged",
    "cart.moved",
    "cart.parked",
    "cart.prices_accepted",
    "cart.quote_accepted",
    "cart.reopened",
    "cart.resumed",
    "cart.unmerged",
)
POINTS = (
    "loyalty.earned",
    "loyalty.expired",
    "loyalty.joined",
    "loyalty.released",
    "loyalty.rewarded",
    "loyalty.taken_back",
)
SUBSCRIPTIONS = (
    "subscription.cancelled",
    "subscription.paused",
    "subscription.resumed",
    "subscription.started",
)
STOCK = (
    "stock.counted",
    "stock.held",
    "stock.lost",
    "stock.lots-judged",
    "stock.moved",
    "stock.quarantined",
    "stock.released",
    "stock.transferred",
)
CUSTOMERS = ("customer.changed", "customer.created", "customer.tagged", "customer.untagged")
CONSENT = "consent.recorded"
TRACKED = "tracking.landed"
DELETED = "tracking.event_deleted"
ERASED = "privacy.erased"

TYPES = (
    *CUSTOMERS,
    *IDENTITY,
    *ORDERS,
    *CARTS,
    *POINTS,
    *SUBSCRIPTIONS,
    *STOCK,
    CONSENT,
    TRACKED,
    DELETED,
    ERASED,
)

People = dict[str, set[UUID]]


async def people(tx: Tx, events: Sequence[Event], names: set[str], *, asks_stock: bool = False) -> People:
    """Customers by the source of what changed (`rules.sources`, or everything): each id that is touched, and whoever stands
    for it now. ``names`` are those of the tracked events that anybody counts; ``asks_stock``: somebody asks for stock at all."""
    found: People = defaultdict(set)
    by_table: dict[str, list[Event]] = defaultdict(list)
    sources = {name: kind.sources for kind in kinds.all_kinds() for name in kind.types}
    for event in events:
        if event.type in sources:
            who = event.profile or event.subject
            for source in sources[event.type]:
                found[source] |= {who} if who else set()
        by_table[_table(event.type)].append(event)
    found["customer"] |= _subjects(by_table["customer"])
    found[EVERYTHING] |= _subjects(
        event for event in by_table["customer"] if event.type == "customer.created"
    )
    found[EVERYTHING] |= _of_identity(by_table["identity"])
    found[EVERYTHING] |= {UUID(each) for event in by_table["privacy"] for each in event.payload["ids"]}
    found["points"] |= _subjects(by_table["points"])
    found["order"] |= await _of_orders(tx, by_table["order"])
    found["cart"] |= await _of_carts(tx, by_table["cart"])
    if asks_stock:
        found["stock"] |= await _of_stock(tx, by_table["stock"])
    found["subscription"] |= await _of_subscriptions(tx, by_table["subscription"])
    found["consent"] |= await _of_consent(tx, by_table["consent"])
    found["tracked"] |= await _of_tracked(tx, by_table["tracked"], names)
    found["tracked"] |= await _of_deleted(tx, by_table["deleted"], names)
    # Orders of history bring people with them, and one event tells of all.
    imported = [event for event in by_table["order"] if event.type == "order.imported"]
    found[EVERYTHING] |= await _of_orders(tx, imported)
    return await _with_those_who_stand(tx, {source: ids for source, ids in found.items() if ids})


def _table(event_type: str) -> str:
    if event_type in CUSTOMERS:
        return "customer"
    if event_type in IDENTITY:
        return "identity"
    if event_type in (TRACKED, DELETED):
        return {TRACKED: "tracked", DELETED: "deleted"}[event_type]
    return {"loyalty": "points"}.get(event_type.partition(".")[0], event_type.partition(".")[0])


def _subjects(events: Iterable[Event]) -> set[UUID]:
    return {event.subject for event in events if event.subject is not None}


def _of_identity(events: Sequence[Event]) -> set[UUID]:
    found = _subjects(events)
    for event in events:
        for name in ("losers", "parts", "customers"):
            found |= {UUID(each) for each in event.payload.get(name, ())}
    return found


async def _of_orders(tx: Tx, events: Sequence[Event]) -> set[UUID]:
    orders = _subjects(events)
    found = {event.profile for event in events if event.profile is not None}
    for event in events:
        orders |= {UUID(each) for each in event.payload.get("orders", ())}
    if not orders:
        return found
    rows = await tx.rows(
        "SELECT DISTINCT customer FROM orders WHERE id = ANY ($1) AND customer IS NOT NULL", list(orders)
    )
    return found | {row["customer"] for row in rows}


async def _of_carts(tx: Tx, events: Sequence[Event]) -> set[UUID]:
    carts = _subjects(events)
    found = {event.profile for event in events if event.profile is not None}
    for event in events:
        if event.payload.get("other"):
            carts.add(UUID(event.payload["other"]))
        if event.payload.get("customer"):
            found.add(UUID(event.payload["customer"]))
        if event.type == "cart.unmerged" and event.subject is not None:
            # Whose it was by the merge is told by nobody but the merge.
            before = await log.of_subject(tx, event.subject)
            found |= {each.profile for each in before if each.type == "cart.merged" and each.profile}
    if not carts:
        return found
    rows = await tx.rows(
        "SELECT DISTINCT customer FROM cart WHERE id = ANY ($1) AND customer IS NOT NULL", list(carts)
    )
    return found | {row["customer"] for row in rows}


async def _of_stock(tx: Tx, events: Sequence[Event]) -> set[UUID]:
    """Who has goods on a list or in a cart of which units came, went or were held; also as a part of a set."""
    variants = {UUID(line["variant"]) for event in events for line in event.payload["lines"]}
    if not variants:
        return set()
    rows = await tx.rows(
        """WITH moved AS (SELECT unnest($1::uuid[]) AS id UNION SELECT bundle FROM bundle_component WHERE component = ANY ($1))
           SELECT DISTINCT k.customer FROM cart k
           WHERE k.customer IS NOT NULL AND k.status IN ('open', 'checkout')
             AND EXISTS (SELECT FROM cart_line i JOIN moved m ON m.id = i.variant WHERE i.cart = k.id)""",
        list(variants),
    )
    return {row["customer"] for row in rows}


async def _of_subscriptions(tx: Tx, events: Sequence[Event]) -> set[UUID]:
    subjects = _subjects(events)
    if not subjects:
        return set()
    rows = await tx.rows("SELECT DISTINCT customer FROM subscription WHERE id = ANY ($1)", list(subjects))
    return {row["customer"] for row in rows}


async def _of_consent(tx: Tx, events: Sequence[Event]) -> set[UUID]:
    """Whose the identifiers are that answered."""
    nodes = {event.profile for event in events if event.profile is not None}
    if not nodes:
        return set()
    rows = await tx.rows(
        """SELECT DISTINCT coalesce(p.profile, n.profile) AS profile
           FROM identity_node n LEFT JOIN identity_node p ON p.id = n.person WHERE n.id = ANY ($1)""",
        list(nodes),
    )
    return {row["profile"] for row in rows}


async def _of_tracked(tx: Tx, events: Sequence[Event], names: set[str]) -> set[UUID]:
    """On whom events of these names landed, as identity has it now.

    Who is named at a shared device gets the moments before it too, whatever the event that names them is called.
    """
    batches = [batch for event in events for batch in event.payload["batches"]]
    if not batches or not names:
        return set()
    rows = await tx.rows(
        """
        SELECT DISTINCT coalesce(p.profile, n.profile) AS profile
        FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS b (batch, first, last)
        JOIN tracked_event e ON e.received_at BETWEEN b.first AND b.last AND e.batch = b.batch
        JOIN tracking_source s ON s.id = e.source
        JOIN tracked_profile t ON t.received_at = e.received_at AND t.event = e.id AND t.identity IS NOT NULL
        JOIN identity_node n ON n.id = t.identity LEFT JOIN identity_node p ON p.id = n.person
        WHERE e.name = ANY ($4) OR (e.user_id IS NOT NULL AND s.device_class = 'shared')
        """,
        [UUID(batch["id"]) for batch in batches],
        [datetime.fromisoformat(batch["first"]) for batch in batches],
        [datetime.fromisoformat(batch["last"]) for batch in batches],
        list(names),
    )
    return {row["profile"] for row in rows}


async def _of_deleted(tx: Tx, events: Sequence[Event], names: set[str]) -> set[UUID]:
    """On whom events had landed that staff deleted, as identity has it now. What was not tracked tells no name."""
    ids = [
        UUID(event.payload["identity"])
        for event in events
        if event.payload.get("identity")
        and (names if event.payload.get("name") is None else event.payload["name"] in names)
    ]
    if not ids:
        return set()
    rows = await tx.rows(
        """SELECT DISTINCT coalesce(p.profile, n.profile) AS profile
           FROM identity_node n LEFT JOIN identity_node p ON p.id = n.person WHERE n.id = ANY ($1)""",
        ids,
    )
    return {row["profile"] for row in rows}


async def _with_those_who_stand(tx: Tx, found: People) -> People:
    ids = set().union(*found.values()) if found else set()
    if not ids:
        return {}
    rows = await tx.rows(
        "SELECT id, survivor FROM customer WHERE id = ANY ($1) AND survivor IS NOT NULL", list(ids)
    )
    stands = {row["id"]: row["survivor"] for row in rows}
    # Ids that were given out lead to somebody also where they never were a customer's.
    rows = await tx.rows(
        "SELECT id, profile FROM identity_node WHERE id = ANY ($1) AND profile <> id", list(ids)
    )
    stands |= {row["id"]: row["profile"] for row in rows}
    return {source: of | {stands[each] for each in of if each in stands} for source, of in found.items()}
