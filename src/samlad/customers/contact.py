"""Who turns to us: how the person is called and reached, without that anybody is linked with anybody by it."""

from uuid import UUID

import msgspec

from samlad.customers import store
from samlad.customers.model import PersonInput
from samlad.customers.service import find_or_create
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person who turns to us. ``name`` may be empty; ``email`` is in small letters."""

    customer: UUID | None
    name: str
    email: str | None
    phone: str | None


async def contact(tx: Tx, pool: UUID, known: UUID | None, given: PersonInput) -> Contact:
    """Who it is: a customer who is known to be it (``known``), else who has the address that they give, else nobody yet.

    What they give counts; what is on file fills the gaps only of who is known: it is not told to who only says an address.

    Raises:
        NotFound: no such customer in this pool.
    """
    email = given.email.strip().lower() if given.email else None
    if known is not None:
        found = await store.current(tx, known)
        if found is None or found.pool != pool:
            raise NotFound("There is no such customer in this channel.")
        return Contact(
            customer=found.id,
            name=given.name or found.name or "",
            email=email or (found.email.lower() if found.email else None),
            phone=given.phone or found.phone,
        )
    made = None
    if email is not None:
        made = await find_or_create(tx, pool, PersonInput(email=email, name=given.name, phone=given.phone))
    return Contact(customer=made.id if made else None, name=given.name or "", email=email, phone=given.phone)
