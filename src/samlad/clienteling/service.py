"""The verbs of clerks who serve customers personally.

Nothing here says that two people are one: what a clerk does for a customer names the customer, and is no evidence.
"""

from uuid import UUID

from samlad import carts, channels, consent, customers, identity, stock
from samlad.access import audit
from samlad.carts import LineInput
from samlad.channels import Resource
from samlad.clienteling import events, store
from samlad.clienteling.model import (
    PURPOSE,
    AssignInput,
    Client,
    FollowUp,
    FollowUpInput,
    Recommended,
    RecommendInput,
)
from samlad.clienteling.permissions import LEAD, SERVE
from samlad.consent import Answer, AnswerInput
from samlad.consent import Level as Backing
from samlad.kernel import cards, log
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound

MOST_CLIENTS = 200


async def look_up(tx: Tx, customer: UUID, location: UUID) -> None:
    """Note in the audit log that a clerk opened a customer in a store. Each time."""
    tx.actor.require(customers.READ, location=location)
    audit.record(tx, "customer.looked-up", "customer", customer, after={"location": location})


async def searched(tx: Tx, location: UUID, found: int) -> None:
    """Note in the audit log that a clerk searched for customers: how many were found, not what was typed."""
    tx.actor.require(customers.READ, location=location)
    audit.record(tx, "customer.searched", "location", location, after={"found": found})


async def assign(tx: Tx, customer: UUID, data: AssignInput) -> None:
    """Whoever acts looks after a customer in a store, if the customer agrees. Again is no error.

    Raises:
        NotFound: no such customer, or location.
        Conflict: the customer did not agree, or took it back by proof. Forbidden: somebody else looks after them.
    """
    tx.actor.require(SERVE, location=data.location)
    here, staff, place = await _customer(tx, customer), _staff(tx), await _store(tx, data.location)
    before = await store.clerk_of(tx, here, data.location)
    if before is not None and before[0] != staff and not tx.actor.may(LEAD, data.location):
        raise Forbidden("Somebody else looks after them in this store.", permission=LEAD)
    if here not in await consent.allowed(tx, [here], PURPOSE, place):
        await _ask(tx, here, place, data)
    if await store.assign(tx, here, data.location, place, staff, tx.actor.name):
        fact = events.ClientAssigned(location=data.location, staff=staff)
        log.append(tx, fact, subject=here, profile=here, channel=place)
        audit.record(tx, "client.assigned", "customer", here, after={"location": data.location})


async def _ask(tx: Tx, customer: UUID, channel: UUID, data: AssignInput) -> None:
    if not data.agreed:
        raise Conflict("Ask the customer first whether they want personal advice from this store.")
    answer = AnswerInput(purpose=PURPOSE, answer=Answer.GRANTED, channel=channel)
    evidence = {"location": str(data.location)}
    await consent.record(
        tx, customer, [answer], level=Backing.AUTHENTICATED, source="staff", evidence=evidence
    )
    if customer not in await consent.allowed(tx, [customer], PURPOSE, channel):
        raise Conflict(
            "The customer said no to this; only they can change that, on the page of their preferences."
        )


async def release(tx: Tx, customer: UUID, location: UUID) -> None:
    """Nobody looks after a customer in a store any more: they themselves give it up, or whoever leads. Again is no error.

    Raises:
        NotFound: there is no such customer.
    """
    tx.actor.require(SERVE, location=location)
    here = await _customer(tx, customer)
    only = None if tx.actor.may(LEAD, location) else _staff(tx)
    if await store.release(tx, here, location, only):
        log.append(tx, events.ClientReleased(locations=[location]), subject=here, profile=here)
        audit.record(tx, "client.released", "customer", here, before={"location": location})


async def withdrawn(tx: Tx, profile: UUID) -> None:
    """A person does not agree any more: nobody looks after them, anywhere. Again changes nothing.

    ``profile`` is any id that they have in `samlad.identity`.
    """
    for customer, locations in await store.release_all(tx, await identity.ids_of(tx, profile)):
        fact = events.ClientReleased(locations=locations, is_withdrawn=True)
        log.append(tx, fact, subject=customer, profile=customer)


async def mine(database: Database, actor: Actor, location: UUID) -> list[Client]:
    """Whom a clerk looks after in a store, those with the next task first; only who agrees now."""
    actor.require(SERVE, location=location)
    query = ListQuery(limit=MOST_CLIENTS, filters={"location": str(location)})
    found = (await store.CLIENTS.page(database, query, None, actor.id)).items
    agreed = await consent.allowed(database, [each.customer for each in found], PURPOSE)
    known = [each for each in found if each.customer in agreed]
    return sorted(known, key=lambda each: (each.due_on is None, each.due_on or each.since.date()))


async def follow_up(tx: Tx, customer: UUID, data: FollowUpInput) -> FollowUp:
    """Keep a task for whoever acts.

    Raises:
        NotFound: no such customer, or location. InvalidInput: nothing but blanks.
    """
    tx.actor.require(SERVE, location=data.location)
    here, staff, channel = await _customer(tx, customer), _staff(tx), await _store(tx, data.location)
    text = data.text.strip()
    if not text:
        raise InvalidInput.at("text", "is empty")
    cards.refuse(text, "text")
    made = new_id()
    values = {
        "id": made,
        "customer": here,
        "location": data.location,
        "channel": channel,
        "staff": staff,
        "staff_name": tx.actor.name,
        "text": text,
        "due_on": data.due_on,
    }
    await store.add_task(tx, values)
    fact = events.FollowUpMade(location=data.location, staff=staff, due_on=data.due_on, text=text)
    log.append(tx, fact, subject=made, profile=here, channel=channel)
    return await _found(tx, made)


async def finish(tx: Tx, task: UUID) -> FollowUp:
    """A task is done. Again is no error.

    Raises:
        NotFound: there is none. Forbidden: it is somebody else's.
    """
    before = await _task(tx, task)
    if await store.finish(tx, task, tx.actor.label):
        log.append(tx, events.FollowUpDone(location=before.location), subject=task, profile=before.customer)
    return await _found(tx, task)


async def reopen(tx: Tx, task: UUID) -> FollowUp:
    """A task is not done after all. Again is no error.

    Raises:
        NotFound: there is none. Forbidden: it is somebody else's.
    """
    before = await _task(tx, task)
    if await store.reopen(tx, task):
        fact = events.FollowUpReopened(location=before.location)
        log.append(tx, fact, subject=task, profile=before.customer)
    return await _found(tx, task)


async def recommend(tx: Tx, customer: UUID, data: RecommendInput) -> Recommended:
    """Put something on a customer's wish list, or into the cart that they have on their devices, where it is seen at once.

    On the list it is once, however often it is recommended; in the cart it is one more each time.

    Raises:
        NotFound: no such customer. Conflict: they are not a customer of that shop. NotSellable, SoldOut, CartClosed.
    """
    tx.actor.require(SERVE, location=data.location)
    here = await _customer(tx, customer)
    known, channel = await customers.get(tx, here), await channels.cached(tx, data.channel)
    if known is None or known.pool != channel.pools[Resource.CUSTOMERS]:
        raise Conflict("This customer is not one of that shop.")
    line = LineInput(variant=data.variant)
    verb = carts.wish_for if data.to == "wish" else carts.put_for
    cart = await verb(tx, data.channel, here, line)
    fact = events.ClientRecommended(location=data.location, variant=data.variant, to=data.to, cart=cart.id)
    log.append(tx, fact, subject=here, profile=here, channel=data.channel)
    return Recommended(cart=cart.id, to=data.to)


def scope_of(actor: Actor, staff: UUID | None = None) -> tuple[list[UUID] | None, UUID | None]:
    """What lists are read for: the actor's locations, and only their own people and tasks unless they lead."""
    actor.require(SERVE)
    return actor.bound_to, (staff if actor.may(LEAD) else actor.id)


async def _customer(tx: Tx, customer: UUID) -> UUID:
    found = await customers.resolve(tx, customer)
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def _staff(tx: Tx) -> UUID:
    if tx.actor.kind != "staff" or tx.actor.id is None:
        raise Forbidden("Only somebody who is signed in as staff looks after customers.")
    return tx.actor.id


async def _store(tx: Tx, location: UUID) -> UUID:
    place = await stock.location(tx, location)
    if place.channel is None:
        raise InvalidInput.at("location", "no store stands there")
    return place.channel


async def _task(tx: Tx, task: UUID) -> FollowUp:
    tx.actor.require(SERVE)
    found = await store.task(tx, task)
    if found is None:
        raise NotFound("There is no such task.")
    tx.actor.require(SERVE, location=found.location)
    if found.staff != tx.actor.id and not tx.actor.may(LEAD, found.location):
        raise Forbidden("This is somebody else's task.", permission=LEAD)
    return found


async def _found(reader: Reader, task: UUID) -> FollowUp:
    found = await store.task(reader, task)
    assert found is not None
    return found
