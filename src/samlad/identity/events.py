"""What happens to profiles. Ids only: what the identifiers are is not in the log, so that erasure need not look here."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("identity.merged")
class ProfilesMerged(Fact, frozen=True, kw_only=True):
    """Profiles are one person: ``losers`` lead to the event's subject from now on.

    ``cause`` is observed, decided (``pin``) or rules; ``evidence`` are sightings, ten at most.
    """

    pool: UUID
    losers: list[UUID]
    cause: str
    evidence: list[UUID]
    pin: UUID | None = None


@declare("profile.split")
class ProfileSplit(Fact, frozen=True, kw_only=True):
    """What was one profile (the event's subject) is several: ``parts`` came off it."""

    pool: UUID
    parts: list[UUID]
    cause: str
    pin: UUID | None = None


@declare("identity.customers_led")
class CustomersLed(Fact, frozen=True, kw_only=True):
    """Customer rows lead elsewhere than before: ``customers`` has them, and who stood and stands for them."""

    pool: UUID
    customers: list[UUID]


@declare("identity.conflict")
class IdentityConflict(Fact, frozen=True, kw_only=True):
    """Two identifiers were seen together that cannot be one person's: the link was left out. A person may look."""

    pool: UUID
    left: UUID
    right: UUID
    sighting: UUID | None


@declare("identity.quarantined")
class IdentifierQuarantined(Fact, frozen=True, kw_only=True):
    """An identifier (the subject) was seen with too many people: it links nobody any more."""

    pool: UUID
    kind: str
    fan_out: int


@declare("identity.released")
class IdentifierReleased(Fact, frozen=True, kw_only=True):
    """An identifier (the subject) that linked nobody may link again."""

    pool: UUID
    kind: str


@declare("identity.rules_changed")
class IdentityRulesChanged(Fact, frozen=True, kw_only=True):
    """Profiles of a pool follow other rules from now on."""

    pool: UUID
    version: int
    merged: int
    split: int
