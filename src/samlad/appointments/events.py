"""What happens to appointments. The subject is the appointment, the profile who comes."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("appointment.booked")
class AppointmentBooked(Fact, frozen=True, kw_only=True):
    """Somebody comes to a store."""

    service: UUID
    location: UUID
    starts_at: datetime
    source: str


@declare("appointment.moved")
class AppointmentMoved(Fact, frozen=True, kw_only=True):
    """They come at another time. ``sequence`` counts what is told of it."""

    starts_at: datetime
    before: datetime
    sequence: int


@declare("appointment.cancelled")
class AppointmentCancelled(Fact, frozen=True, kw_only=True):
    """They do not come."""

    starts_at: datetime


@declare("appointment.due")
class AppointmentDue(Fact, frozen=True, kw_only=True):
    """It is time to remind them. Once for each time that is agreed."""

    starts_at: datetime


@declare("appointment.kept")
class AppointmentKept(Fact, frozen=True, kw_only=True):
    """They were there."""

    location: UUID


@declare("appointment.missed")
class AppointmentMissed(Fact, frozen=True, kw_only=True):
    """They did not come and said nothing."""

    location: UUID


@declare("appointment.reopened")
class AppointmentReopened(Fact, frozen=True, kw_only=True):
    """What was said of who came is taken back."""

    location: UUID


@declare("appointment.service_changed")
class ServiceChanged(Fact, frozen=True, kw_only=True):
    """What can be booked in a store is new or different. The subject is the service."""

    location: UUID
    code: str
