"""The list of fulfilments: what is to be done, where, until when."""

from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.orders.fulfilment_model import FulfilmentRow


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 366:
        raise ValueError("1 to 366 days")
    return days


LISTING = Listing(
    row=FulfilmentRow,
    select="""f.id, f.order_id, o.number, c.code AS channel, p.code AS location, f.method, f.state, f.due_at,
              (f.state IN ('open', 'picking') AND f.due_at < now()
               OR f.state = 'ready' AND f.pick_up_by < now()) AS is_late,
              f.taken_name, o.name,
              (SELECT coalesce(sum(quantity), 0)::int FROM fulfilment_line n WHERE n.fulfilment = f.id) AS units,
              (SELECT count(*)::int FROM fulfilment_line n WHERE n.fulfilment = f.id) AS lines,
              f.pick_up_by, f.reason, f.tracking, f.opened_at,
              CASE WHEN f.method = 'same_day' THEN (o.promise->>'since')::timestamptz END AS since,
              CASE WHEN f.method = 'same_day' AND o.promise->>'since' IS NOT NULL
                   THEN (o.promise->>'until')::timestamptz END AS until""",
    source="""fulfilment f JOIN orders o ON o.id = f.order_id JOIN channel c ON c.id = o.channel
              LEFT JOIN location p ON p.id = f.location""",
    key="f.id",
    sorts={
        "due_at": Sort("f.due_at", "timestamptz"),
        "opened_at": Sort("f.opened_at", "timestamptz"),
        "number": Sort("o.number"),
    },
    default_sort="due_at",
    filters={
        "location": Filter("p.code = ANY({})", texts),
        "place": Filter(
            """f.location = ANY({0}::uuid[])
               OR f.state IN ('needs_customer', 'waiting') AND o.location = ANY({0}::uuid[])""",
            uuids,
        ),
        "state": Filter("f.state = ANY({})", texts),
        "method": Filter("f.method = ANY({})", texts),
        "order": Filter("f.order_id = ANY({}::uuid[])", uuids),
        "q": Filter("starts_with(o.number, {})", str.strip),
        "within_days": Filter("f.changed_at >= now() - {} * interval '1 day'", _days),
        "late": Filter(
            """({} = 'true') = (f.state IN ('open', 'picking') AND f.due_at < now()
                                OR f.state = 'ready' AND f.pick_up_by < now())"""
        ),
    },
)
"""All fulfilments, those that are due first first. ``late`` is true or false; ``within_days``: something
happened to it in so many days; ``q`` the beginning of an order's number."""
