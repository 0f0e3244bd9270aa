"""What happens to households."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("household.joined")
class HouseholdJoined(Fact, frozen=True, kw_only=True):
    """Somebody said that two customers (the subject and ``other``) live together."""

    other: UUID


@declare("household.left")
class HouseholdLeft(Fact, frozen=True, kw_only=True):
    """What was said of two customers (the subject and ``other``), that they live together, was taken back."""

    other: UUID
