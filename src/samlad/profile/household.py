"""The verbs of households: who lives with whom. That things go to the same address is noticed by itself."""

from uuid import UUID

from samlad import customers
from samlad.access import audit
from samlad.customers import CHANGE
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.profile import events, store


async def live_with(tx: Tx, customer: UUID, other: UUID) -> None:
    """Two customers live together. Said twice it is said once.

    Raises:
        NotFound: there is no such customer. InvalidInput: they are one person, or of different pools.
    """
    tx.actor.require(CHANGE)
    here, there = await customers.current(tx, customer), await customers.current(tx, other)
    if here is None:
        raise NotFound("There is no such customer.")
    if there is None or there.pool != here.pool:
        raise InvalidInput.at("other", "there is no such customer among these")
    if here.id == there.id:
        raise InvalidInput.at("other", "is the same person")
    if await store.say_household(tx, here.id, there.id, tx.actor.label):
        fact = events.HouseholdJoined(other=there.id)
        log.append(tx, fact, subject=here.id, profile=here.id)
        audit.record(tx, "household.joined", "customer", here.id, after={"other": str(there.id)})


async def leave(tx: Tx, customer: UUID, other: UUID) -> None:
    """Take back that two customers live together. Again is no error.

    Raises:
        NotFound: there is no such customer.
    """
    tx.actor.require(CHANGE)
    here = await customers.resolve(tx, customer)
    if here is None:
        raise NotFound("There is no such customer.")
    if await store.unsay_household(tx, customer, other):
        log.append(tx, events.HouseholdLeft(other=other), subject=here, profile=here)
        audit.record(tx, "household.left", "customer", here, before={"other": str(other)})


async def follow(tx: Tx, event: Event) -> None:
    """Note where customers have things sent. May be told twice, or late."""
    if event.type == "order.imported":
        if event.channel is not None:
            await store.keep_addresses(tx, event.channel)
    elif event.subject is not None:
        await store.keep_address(tx, event.subject)


FOLLOWERS = [
    Follower(
        name="profile",
        handle=follow,
        types=("order.placed", "order.customer_linked", "order.imported"),
        batch=50,
    )
]
