"""Card terminals of a location: listed, named, removed, and chosen for a payment, one at a time each.

A store that takes cards at a terminal and has listed none has one: it is listed by the first payment that needs it.
"""

from uuid import UUID

import msgspec
from msgspec import UNSET

from samlad import stock
from samlad.access import audit
from samlad.channels import Channel
from samlad.kernel import cards, log
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.i18n import marked, translator
from samlad.kernel.ids import new_id
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.payments import card_terminal_store as store
from samlad.payments import events
from samlad.payments.card_terminal_model import (
    CardTerminal,
    CardTerminalChange,
    CardTerminalInput,
    TerminalBusy,
    TerminalNameTaken,
)
from samlad.payments.permissions import TERMINALS

ONLY_ONE = marked("Card terminal")


async def add(tx: Tx, data: CardTerminalInput) -> CardTerminal:
    """List another terminal of a location. The same ``id`` again is the same one.

    Raises:
        NotFound: there is no such location. TerminalNameTaken. Conflict: the id is of another one. CardNumber.
    """
    tx.actor.require(TERMINALS, location=data.location)
    cards.refuse(data)
    await stock.location(tx, data.location)
    terminal = data.id or new_id()
    if not await store.insert(tx, terminal, data.location, data.name, data.reference):
        known = await store.read(tx, terminal)
        if known is None:
            raise TerminalNameTaken(f"This place has a card terminal {data.name} already.")
        if (known.location, known.name) != (data.location, data.name):
            raise Conflict("Another card terminal has this id.")
        return known
    made = await _there(tx, terminal)
    log.append(tx, events.CardTerminalAdded(location=made.location, name=made.name), subject=made.id)
    audit.record(tx, "card-terminal.added", "card_terminal", made.id, after=_kept(made))
    return made


async def change(
    tx: Tx, terminal: UUID, data: CardTerminalChange, *, version: int | None = None
) -> CardTerminal:
    """Name it anew, or say what its provider calls it; what it is busy with goes on.

    Raises:
        NotFound, Outdated, TerminalNameTaken, CardNumber.
    """
    found = await _locked(tx, terminal)
    check_version(version, found.version)
    cards.refuse(data)
    values = {
        name: value
        for name, value in msgspec.structs.asdict(data).items()
        if value is not UNSET and value != getattr(found, name)
    }
    if not values:
        return found
    name = values.get("name", found.name)
    if not await store.name_is_free(tx, found.location, name, found.id):
        raise TerminalNameTaken(f"This place has a card terminal {name} already.")
    await store.update(tx, terminal, values)
    changed = await _there(tx, terminal)
    log.append(
        tx, events.CardTerminalChanged(location=found.location, fields=sorted(values)), subject=terminal
    )
    audit.record(
        tx, "card-terminal.changed", "card_terminal", terminal, before=_kept(found), after=_kept(changed)
    )
    return changed


async def remove(tx: Tx, terminal: UUID, *, anyway: bool = False) -> None:
    """It is not used any more; payments still name it. Again is no error. What it waits for goes on with ``anyway``.

    Raises:
        NotFound: there was never such a one. TerminalBusy: it waits for a card.
    """
    known = await store.read(tx, terminal)
    if known is None:
        tx.actor.require(TERMINALS)
        raise NotFound("There is no such card terminal.")
    tx.actor.require(TERMINALS, location=known.location)
    if not await store.lock(tx, terminal):
        return
    found = await _there(tx, terminal)
    if not anyway:
        _check_free(found)
    await store.update(tx, terminal, {"is_active": False})
    log.append(tx, events.CardTerminalRemoved(location=found.location), subject=terminal)
    audit.record(tx, "card-terminal.removed", "card_terminal", terminal, before=_kept(found))


async def choose(tx: Tx, channel: Channel, wanted: UUID | None) -> UUID | None:
    """The terminal for a payment that a channel's location takes, held until the transaction ends; without ``wanted`` its first one.
    None for a channel that stands at no location.

    Raises:
        InvalidInput: it is none of that location. TerminalBusy: it waits for another card.
    """
    place = await stock.place_of(tx, channel.id)
    if place is None:
        if wanted is not None:
            raise InvalidInput.at("terminal", "there is no such card terminal here")
        return None
    known = await store.of_location(tx, place.id)
    if not known:
        if not await store.had_any(tx, place.id):
            name = translator(channel.locale).gettext(ONLY_ONE)
            await store.insert(tx, new_id(), place.id, name, "")
        known = await store.of_location(
            tx, place.id
        )  # another payment may have listed it between the two looks
    chosen = next((each.id for each in known if wanted in (None, each.id)), None)
    if chosen is None or not await store.lock(tx, chosen):
        raise InvalidInput.at(
            "terminal",
            "there is no such card terminal here" if known else "this store has no card terminal any more",
        )
    _check_free(await _there(tx, chosen))  # as it is now that it is held
    return chosen


def _check_free(terminal: CardTerminal) -> None:
    if terminal.busy is not None and terminal.currency is not None:
        amount = f"{decimal_text(terminal.busy, terminal.currency)} {terminal.currency}"
        raise TerminalBusy(
            f"“{terminal.name}” is busy with a payment of {amount}.",
            terminal=str(terminal.id),
            amount=terminal.busy,
            payment=str(terminal.busy_with),
        )


async def _locked(tx: Tx, terminal: UUID) -> CardTerminal:
    if not await store.lock(tx, terminal):
        tx.actor.require(TERMINALS)
        raise NotFound("There is no such card terminal.")
    found = await _there(tx, terminal)
    tx.actor.require(TERMINALS, location=found.location)
    return found


async def _there(tx: Tx, terminal: UUID) -> CardTerminal:
    found = await store.read(tx, terminal)
    assert found is not None, "its row is held"
    return found


def _kept(terminal: CardTerminal) -> dict[str, object]:
    return {"location": terminal.location, "name": terminal.name, "reference": terminal.reference}
