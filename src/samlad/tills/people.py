"""Whose a sale without network was: a customer whom the till carried, or somebody whom the clerk wrote down."""

from uuid import UUID

import msgspec

from samlad import customers
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.kernel import cards
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput
from samlad.tills import store
from samlad.tills.desk import Desk
from samlad.tills.model import NewPerson, Objection, Sale


async def against(tx: Tx, desk: Desk, sale: Sale) -> list[Objection]:
    """A customer whom nobody knows here, or somebody new who cannot be known again by what was typed."""
    if sale.customer is not None and await _known(tx, desk, sale.customer) is None:
        return [Objection(code="customer", there=str(sale.customer))]
    if sale.customer is None and sale.new_customer is not None and _person(sale.new_customer) is None:
        return [Objection(code="new-customer")]
    return []


async def customer_of(tx: Tx, desk: Desk, sale_id: UUID, sale: Sale) -> UUID | None:
    """Whose the sale is; somebody new is one from now on, unless who has that address or number is known already."""
    if sale.customer is not None:
        return await _known(tx, desk, sale.customer)
    person = None if sale.new_customer is None else _person(sale.new_customer)
    if person is None:
        return None
    pool = desk.channel.pools[Resource.CUSTOMERS]
    found = await customers.find_or_create(tx, pool, person, channel=desk.channel.id)
    await store.name_customer(tx, sale_id, found.id)
    return found.id


async def _known(tx: Tx, desk: Desk, customer: UUID) -> UUID | None:
    found = await customers.get(tx, customer)
    is_ours = found is not None and found.pool == desk.channel.pools[Resource.CUSTOMERS]
    return found.id if found is not None and is_ours else None


def _person(typed: NewPerson) -> PersonInput | None:
    """As a customer is written down; None if that would be nobody."""
    given = {name: text.strip() for name, text in msgspec.structs.asdict(typed).items() if text.strip()}
    try:
        person = msgspec.convert(given, PersonInput)
        cards.refuse(person.name, "name")
    except (msgspec.ValidationError, InvalidInput):
        return None
    return person if person.email or (person.name and person.phone) else None
