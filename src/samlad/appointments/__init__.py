"""Appointments: customers come to a store at a time that is theirs. The public face; `docs/concepts/appointments.md` explains."""

from samlad.appointments.model import (
    Appointment,
    BookInput,
    Service,
    ServiceInput,
    Slot,
    SlotTaken,
    Source,
    State,
    Who,
)
from samlad.appointments.permissions import CHANGE, READ, SETUP
from samlad.appointments.service import book, by_link, cancel, move, read, say, scope_of, set_service, slots
from samlad.appointments.store import APPOINTMENTS, SERVICES, offered, services_at

__all__ = [
    "APPOINTMENTS",
    "CHANGE",
    "READ",
    "SERVICES",
    "SETUP",
    "Appointment",
    "BookInput",
    "Service",
    "ServiceInput",
    "Slot",
    "SlotTaken",
    "Source",
    "State",
    "Who",
    "book",
    "by_link",
    "cancel",
    "move",
    "offered",
    "read",
    "say",
    "scope_of",
    "services_at",
    "set_service",
    "slots",
]
