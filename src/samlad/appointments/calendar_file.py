"""An appointment as a calendar file (RFC 5545): what calendars take in, change and take away again.

It is published, not an invitation (RFC 5546): nobody's calendar answers us. Times are UTC, which every calendar shows in its
owner's zone.
"""

from datetime import UTC, datetime

from samlad.appointments.model import Appointment, State
from samlad.kernel.clock import now

LINE_OCTETS = 75
PRODUCT = "-//Samlad//Appointments//EN"


def method(appointment: Appointment) -> str:
    """``PUBLISH``, or ``CANCEL`` for what was cancelled."""
    return "CANCEL" if appointment.state is State.CANCELLED else "PUBLISH"


def calendar(appointment: Appointment, title: str, place: str, link: str) -> str:
    """The file: ``title`` is what it is, ``place`` where, ``link`` where it can be changed."""
    is_off = appointment.state is State.CANCELLED
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        f"METHOD:{method(appointment)}",
        "BEGIN:VEVENT",
        f"UID:{appointment.id}@samlad",
        f"SEQUENCE:{appointment.sequence}",
        f"DTSTAMP:{_moment(now())}",
        f"DTSTART:{_moment(appointment.starts_at)}",
        f"DTEND:{_moment(appointment.ends_at)}",
        f"SUMMARY:{_text(title)}",
        f"LOCATION:{_text(place)}",
        f"URL:{link}",
        f"DESCRIPTION:{_text(link)}",
        f"STATUS:{'CANCELLED' if is_off else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11)."""
    for plain, escaped in (
        ("\\", "\\\\"),
        (";", "\\;"),
        (",", "\\,"),
        ("\r\n", "\\n"),
        ("\n", "\\n"),
        ("\r", "\\n"),
    ):
        text = text.replace(plain, escaped)
    return text


def _folded(line: str) -> str:
    """A line of at most 75 octets, folded between characters (RFC 5545, 3.1)."""
    parts, part, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE_OCTETS:
            parts.append(part)
            part, size = " ", 1
        part += character
        size += octets
    return "\r\n".join([*parts, part])
