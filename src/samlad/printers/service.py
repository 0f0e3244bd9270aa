"""The verbs of printers as a resource of a location: added, changed, removed."""

import ipaddress
from uuid import UUID

import msgspec
from msgspec import UNSET

from samlad import stock
from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.outside import Gate
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.kernel.settings import Settings
from samlad.printers import events, rules, store
from samlad.printers.model import Printer, PrinterChange, PrinterInput, PrinterNameTaken
from samlad.printers.permissions import MANAGE

CONNECT_SECONDS = 5


class _Ports(msgspec.Struct, frozen=True):
    ranges: list[range]

    def __contains__(self, port: object) -> bool:
        return any(port in each for each in self.ranges)


def gate_of(settings: Settings) -> Gate:
    """Which addresses may be reached as printers: what the settings say."""
    return Gate(
        allows=rules.allows(rules.networks(settings.printer_networks)),
        ports=_Ports(rules.ports(settings.printer_ports)),
        seconds=CONNECT_SECONDS,
    )


async def create(tx: Tx, data: PrinterInput) -> Printer:
    """A location has another printer.

    Raises:
        NotFound: there is no such location. InvalidInput: its address may not be reached. PrinterNameTaken.
    """
    tx.actor.require(MANAGE, location=data.location)
    await stock.location(tx, data.location)
    _check_address(tx.database.settings, data.host, data.port)
    made = await store.insert(tx, {"id": new_id(), **msgspec.structs.asdict(data)})
    if made is None:
        raise PrinterNameTaken(f"This place has a printer {data.name} already.")
    log.append(tx, events.PrinterCreated(location=made.location, name=made.name), subject=made.id)
    audit.record(tx, "printer.created", "printer", made.id, after=made)
    return made


async def change(tx: Tx, printer_id: UUID, data: PrinterChange, *, version: int | None = None) -> Printer:
    """A printer is elsewhere, or is another one.

    Raises:
        NotFound, Outdated, InvalidInput, PrinterNameTaken.
    """
    tx.actor.require(MANAGE)
    found = await locked(tx, printer_id, MANAGE)
    check_version(version, found.version)
    values = {
        name: value
        for name, value in msgspec.structs.asdict(data).items()
        if value is not UNSET and value != getattr(found, name)
    }
    if not values:
        return found
    _check_address(tx.database.settings, values.get("host", found.host), values.get("port", found.port))
    name = values.get("name", found.name)
    if not await store.name_is_free(tx, found.location, name, found.id):
        raise PrinterNameTaken(f"This place has a printer {name} already.")
    changed = await store.update(tx, found.id, values)
    log.append(tx, events.PrinterChanged(location=found.location, fields=sorted(values)), subject=found.id)
    audit.record(tx, "printer.changed", "printer", found.id, before=found, after=changed)
    return changed


async def remove(tx: Tx, printer_id: UUID) -> None:
    """A printer is not used any more. What waits for it fails; again is no error.

    Raises:
        NotFound: there was never such a printer.
    """
    known = await store.printer(tx, printer_id)
    if known is None:
        tx.actor.require(MANAGE)
        raise NotFound("There is no such printer.")
    tx.actor.require(MANAGE, location=known.location)
    found = await store.lock(tx, printer_id)
    if found is None:
        return
    gone = await store.update(tx, found.id, {"is_active": False})
    log.append(tx, events.PrinterRemoved(location=found.location), subject=found.id)
    audit.record(tx, "printer.removed", "printer", found.id, before=found, after=gone)


async def locked(tx: Tx, printer_id: UUID, permission: str) -> Printer:
    """A printer that is used, held, for whoever has a permission where it stands. The caller has asked for it anywhere.

    Raises:
        NotFound, Forbidden.
    """
    found = await store.lock(tx, printer_id)
    if found is None:
        raise NotFound("There is no such printer.")
    tx.actor.require(permission, location=found.location)
    return found


def _check_address(settings: Settings, host: str, port: int) -> None:
    """What can be said without asking the network; names are judged each time that they are looked up."""
    gate = gate_of(settings)
    if port not in gate.ports:
        raise InvalidInput.at(
            "port", f"one of the ports in the setting printer_ports: {settings.printer_ports}"
        )
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if set(host) <= set("0123456789."):
            raise InvalidInput.at("host", "an address like 192.168.1.60, or a name") from None
        return
    if not gate.allows(address):
        raise InvalidInput.at(
            "host", f"an address in the setting printer_networks: {settings.printer_networks}"
        )
