"""What happens between clerks and their customers. The profile is the customer."""

from datetime import date
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("client.assigned")
class ClientAssigned(Fact, frozen=True, kw_only=True):
    """A clerk of a store looks after a customer from now on."""

    location: UUID
    staff: UUID


@declare("client.released")
class ClientReleased(Fact, frozen=True, kw_only=True):
    """Nobody of these stores looks after a customer any more. ``is_withdrawn``: the customer wants it so."""

    locations: list[UUID]
    is_withdrawn: bool = False


@declare("client.recommended")
class ClientRecommended(Fact, frozen=True, kw_only=True):
    """A clerk put something on a customer's wish list, or into the cart that they have on their devices."""

    location: UUID
    variant: UUID
    to: str
    cart: UUID


@declare("follow_up.made", personal=("text",))
class FollowUpMade(Fact, frozen=True, kw_only=True):
    """A clerk means to do something for a customer by a day. The subject is the task."""

    location: UUID
    staff: UUID
    due_on: date
    text: str | None = None


@declare("follow_up.done")
class FollowUpDone(Fact, frozen=True, kw_only=True):
    """It is done. The subject is the task."""

    location: UUID


@declare("follow_up.reopened")
class FollowUpReopened(Fact, frozen=True, kw_only=True):
    """It is not done after all. The subject is the task."""

    location: UUID
