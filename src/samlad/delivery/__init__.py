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
    Slot,
    SlotFull,
    SlotPast,
    Workday,
    WorkdayInput,
    Zone,
)
from samlad.delivery.promise import Site, between_km
from samlad.delivery.promising import Answer, Promised, SlotOffer, StorePromise, answer, as_of
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
from samlad.delivery.slot_holds import hold as hold_slot
from samlad.delivery.slots import give_back as give_slot_back
from samlad.delivery.slots import in_slot, move_slot, pick_by, reaches_slot
from samlad.delivery.slots import take as take_slot
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
    "Slot",
    "SlotFull",
    "SlotOffer",
    "SlotPast",
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
    "give_slot_back",
    "hold_slot",
    "in_slot",
    "methods_of",
    "move_slot",
    "pick_by",
    "price",
    "reaches_slot",
    "reaching",
    "set_workday",
    "take_slot",
    "workday",
]
