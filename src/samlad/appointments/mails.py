"""What somebody is told of their appointment by mail, with a calendar file: booked, moved, cancelled, tomorrow."""

from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from samlad import channels, stock
from samlad.appointments import calendar_file, links, store
from samlad.appointments.model import Appointment, State
from samlad.kernel import mail
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.i18n import dated_locale, marked, negotiate, translator
from samlad.kernel.log import Event
from samlad.kernel.mail import Attachment, Mail
from samlad.kernel.vault import Vault

SUBJECTS = {
    "appointment.booked": marked("Your appointment: %(what)s, %(when)s"),
    "appointment.moved": marked("Your appointment has moved: %(what)s, %(when)s"),
    "appointment.cancelled": marked("Your appointment is cancelled: %(what)s, %(when)s"),
    "appointment.due": marked("See you soon: %(what)s, %(when)s"),
}
TEXT = marked("%(what)s\n%(when)s\n%(where)s\n\nTo change or cancel it:\n%(link)s")
CANCELLED = marked(
    "This appointment is cancelled:\n\n%(what)s\n%(when)s\n%(where)s\n\nTo book another one:\n%(link)s"
)


def when(appointment: Appointment, locale: str, country: str) -> str:
    """Day and time on the clock of the store, in words; in English as in a country (ISO 3166)."""
    there = appointment.starts_at.astimezone(ZoneInfo(appointment.time_zone))
    dated = dated_locale(locale, country)
    return f"{format_date(there, 'full', locale=dated)}, {format_time(there, 'short', locale=dated)}"


def where(place: stock.Location) -> str:
    """The store and its address in one line."""
    parts = (place.name, place.address.get("lines"), place.address.get("city"))
    return ", ".join(str(part).replace("\n", ", ") for part in parts if part)


async def follow(tx: Tx, event: Event) -> None:
    """Tell them, if they have an address and mails go out. What is not so any more is not told."""
    settings = tx.database.settings
    if event.subject is None or not mail.is_set(settings):
        return
    found = await store.one(tx, event.subject)
    if found is None or found.email is None or not _is_so(event, found):
        return
    place = await stock.location(tx, found.location)
    shop = await channels.cached(tx, found.shop)
    locale = negotiate(found.language)
    _ = translator(locale).gettext
    service = await store.offered(tx, found.service)
    is_off = found.state is State.CANCELLED
    base = channels.shop_address(settings, shop)
    link = base + ("/appointments" if is_off else links.path(settings, found.id))
    said = {
        "what": service.named(locale) if service else found.service_name,
        "when": when(found, locale, shop.country),
        "where": where(place),
        "link": link,
    }
    file = calendar_file.calendar(found, f"{said['what']} · {place.name}", said["where"], link)
    attached = Attachment(
        name="appointment.ics",
        subtype="calendar",
        text=file,
        parameters={"method": calendar_file.method(found)},
    )
    written = Mail(
        to=found.email,
        sender=shop.name,
        subject=_(SUBJECTS[event.type]) % said,
        text=_(CANCELLED if is_off else TEXT) % said,
        attachments=[attached],
    )
    await mail.send(tx, Vault.of(settings), written)


def _is_so(event: Event, found: Appointment) -> bool:
    """Whether what the event tells is how it is: of an appointment that was moved twice only the last time is told."""
    if event.type == "appointment.cancelled":
        return found.state is State.CANCELLED
    fact = event.fact()
    return found.state is State.BOOKED and getattr(fact, "starts_at", None) == found.starts_at


FOLLOWERS = [Follower(name="appointment-mails", handle=follow, types=tuple(SUBJECTS))]
