"""What happens to customers. Personal fields are kept apart in the log, so that they can be erased."""

from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.log import Fact, declare


@declare("customer.created", personal=("external_id", "email", "name", "phone"))
class CustomerCreated(Fact, frozen=True, kw_only=True):
    """Somebody is a customer from now on; ``is_seen``: identity made the row of what it has seen of them."""

    pool: UUID
    external_id: str | None = None
    country: str | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    is_seen: bool = False


@declare("customer.changed", personal=("before", "after"))
class CustomerChanged(Fact, frozen=True, kw_only=True):
    """Details of a customer were changed: the fields that differ, with their values before and after."""

    fields: list[str]
    before: dict[str, Any] = msgspec.field(default_factory=dict)
    after: dict[str, Any] = msgspec.field(default_factory=dict)


@declare("customer.imported")
class CustomersImported(Fact, frozen=True, kw_only=True):
    """Customers came in with imported orders."""

    pool: UUID
    count: int


@declare("customer.note_added", personal=("text",))
class NoteAdded(Fact, frozen=True, kw_only=True):
    """Staff wrote something down about a customer. ``text``: of before notes were sealed; now only the note has it."""

    note: UUID
    text: str | None = None


@declare("customer.note_changed", personal=("text",))
class NoteChanged(Fact, frozen=True, kw_only=True):
    """A note about a customer was written anew. ``text`` as of `NoteAdded`."""

    note: UUID
    text: str | None = None


@declare("customer.note_deleted")
class NoteDeleted(Fact, frozen=True, kw_only=True):
    """A note about a customer was taken away."""

    note: UUID


@declare("customer.note_restored")
class NoteRestored(Fact, frozen=True, kw_only=True):
    """A note about a customer was brought back."""

    note: UUID


@declare("customer.tagged", personal=("tags",))
class CustomerTagged(Fact, frozen=True, kw_only=True):
    """A customer has tags that they did not have before."""

    tags: list[str] = msgspec.field(default_factory=list)


@declare("customer.untagged", personal=("tags",))
class CustomerUntagged(Fact, frozen=True, kw_only=True):
    """A customer does not have these tags any more."""

    tags: list[str] = msgspec.field(default_factory=list)
