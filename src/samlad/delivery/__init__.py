"""Delivery: how goods get to customers, what that costs, and when. The public face; `docs/concepts/delivery.md` explains."""

from samlad.delivery.model import (
    COLLECTED,
    SENT,
    Destination,
    FlatRate,
    Method,
    MethodChange,
    MethodInput,
    MethodKind,
    Workday,
    WorkdayInput,
    Zone,
)
from samlad.delivery.promise import Site, between_km
from samlad.delivery.promising import Answer, Promised, StorePromise, answer, as_of
from samlad.delivery.rules import price, reaching
from samlad.delivery.service import (
    change_method,
    count_from,
    count_less,
    count_more,
    count_order,
    create_method,
    give_back,
    set_workday,
)
from samlad.delivery.setup import current, methods_of
from samlad.delivery.store import workday

__all__ = [
    "COLLECTED",
    "SENT",
    "Answer",
    "Destination",
    "FlatRate",
    "Method",
    "MethodChange",
    "MethodInput",
    "MethodKind",
    "Promised",
    "Site",
    "StorePromise",
    "Workday",
    "WorkdayInput",
    "Zone",
    "answer",
    "as_of",
    "between_km",
    "change_method",
    "count_from",
    "count_less",
    "count_more",
    "count_order",
    "create_method",
    "current",
    "give_back",
    "methods_of",
    "price",
    "reaching",
    "set_workday",
    "workday",
]
