"""The verbs of screens: a tablet shows a code, a clerk types it; the till says what it shows; it is taken away."""

import secrets
from datetime import timedelta
from uuid import UUID

from samlad import stock
from samlad.access import audit, rate
from samlad.access.tokens import new_token, token_hash
from samlad.kernel import log
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Busy, InvalidInput, NotFound
from samlad.kernel.sweepers import Sweeper
from samlad.screens import events, store
from samlad.screens.model import PairInput, Screen
from samlad.screens.permissions import PAIR

CODE_LASTS = timedelta(minutes=10)
BEGINS_AN_HOUR = 60
"""Codes that one address may ask for: they are few, and each is in the way of the others."""
TRIES = 10
TRY_SECONDS = 300
NO_SUCH_CODE = "no screen shows this code now"


async def begin(tx: Tx) -> tuple[str, str]:
    """A tablet that wants to be a screen: the code that it shows for ten minutes, and its token, which opens nothing yet.

    Raises:
        TooMany: from this address. Busy: all codes that were tried are shown elsewhere.
    """
    await rate.limit(tx, "screens.begin", tx.context.remote or tx.actor.label, per=3600, max=BEGINS_AN_HOUR)
    token = new_token()
    for _ in range(8):
        code = f"{secrets.randbelow(1_000_000):06}"
        if await store.begin(tx, code, token_hash(token), CODE_LASTS):
            return code, token
    raise Busy("Too many screens wait for a code. Try again in a moment.")


async def count_try(database: Database, context: Context) -> None:
    """Count a code that somebody types, in a transaction of its own: a wrong one counts, too.

    Raises:
        TooMany.
    """
    await database.transaction(
        lambda tx: rate.limit(tx, "screens.pair", tx.actor.label, per=TRY_SECONDS, max=TRIES), context
    )


async def pair(tx: Tx, data: PairInput) -> Screen:
    """The tablet with this code is a screen of a store from now on. A code is good once; call `count_try` before.

    Raises:
        InvalidInput: no tablet shows the code, or no store stands there. NotFound: no such location. Forbidden.
    """
    tx.actor.require(PAIR, location=data.location)
    place = await stock.location(tx, data.location)
    if place.channel is None:
        raise InvalidInput.at("location", "no store stands there")
    waiting = await store.take(tx, data.code)
    if waiting is None:
        raise InvalidInput.at("code", NO_SUCH_CODE)
    made = new_id()
    await store.insert(tx, made, place.id, place.channel, data.name, waiting)
    log.append(
        tx, events.ScreenPaired(location=place.id, name=data.name), subject=made, channel=place.channel
    )
    audit.record(tx, "screen.paired", "screen", made, after={"name": data.name, "location": place.id})
    found = await store.screen(tx, made)
    assert found is not None
    return found


async def show(tx: Tx, screen_id: UUID, *, cart: UUID | None = None, order: UUID | None = None) -> None:
    """A till says what its screen shows: a ticket, thanks for a sale, or neither. A revoked screen is left alone.

    Raises:
        NotFound: there is no such screen. Forbidden: it stands where this clerk does not work.
    """
    tx.actor.require(PAIR)
    found = await store.screen(tx, screen_id)
    if found is None:
        raise NotFound("There is no such screen.")
    tx.actor.require(PAIR, location=found.location)
    if await store.show(tx, screen_id, cart, order):
        log.append(tx, events.ScreenShows(cart=cart, order=order), subject=screen_id, channel=found.channel)


async def revoke(tx: Tx, screen_id: UUID) -> None:
    """A screen shows nothing any more, at once. Again is no error.

    Raises:
        NotFound: there was never such a screen. Forbidden.
    """
    tx.actor.require(PAIR)
    found = await store.screen(tx, screen_id)
    if found is None:
        raise NotFound("There is no such screen.")
    tx.actor.require(PAIR, location=found.location)
    if await store.revoke(tx, screen_id):
        log.append(
            tx, events.ScreenRevoked(location=found.location), subject=screen_id, channel=found.channel
        )
        audit.record(tx, "screen.revoked", "screen", screen_id, before={"name": found.name})


SWEEPERS = [Sweeper("screens.forget-codes", 3600, store.forget_old)]
