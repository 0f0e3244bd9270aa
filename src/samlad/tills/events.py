"""What happens to sales that tills rang up. The order of one has its own events."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("till_sale.recorded")
class SaleRecorded(Fact, frozen=True, kw_only=True):
    """A sale of a till is order ``order`` now; ``objections`` are the codes of what a manager should know."""

    till: UUID
    location: UUID
    reference: str
    order: UUID
    number: str
    total: int
    currency: str
    objections: list[str]


@declare("till_sale.kept")
class SaleKept(Fact, frozen=True, kw_only=True):
    """A sale of a till could not become an order and waits for a manager; nothing of it is lost."""

    till: UUID | None
    location: UUID
    reference: str
    total: int | None
    currency: str
    objections: list[str]


@declare("till_sale.resolved", personal=("reason",))
class SaleResolved(Fact, frozen=True, kw_only=True):
    """A manager has looked at a sale: ``seen``, ``settled`` as order ``order``, or ``written_off``."""

    location: UUID
    reference: str
    resolution: str
    order: UUID | None = None
    reason: str = ""


@declare("till_entry.done")
class EntryDone(Fact, frozen=True, kw_only=True):
    """Something that a till did beside selling was done here, too: it is about ``about``."""

    till: UUID
    location: UUID
    reference: str
    kind: str
    about: UUID
    objections: list[str]


@declare("till.numbers_missing")
class NumbersMissing(Fact, frozen=True, kw_only=True):
    """Numbers of a till's journal are not here though it has nothing more to send."""

    till: UUID
    location: UUID
    numbers: list[int]


@declare("till.key_named")
class KeyNamed(Fact, frozen=True, kw_only=True):
    """A till signs receipts with another key from now on."""

    till: UUID
    location: UUID
    kid: str


@declare("till.key_revoked")
class KeyRevoked(Fact, frozen=True, kw_only=True):
    """A till's key was taken back: what is signed with it is doubtful."""

    till: UUID
    location: UUID
    kid: str


@declare("till.key_restored")
class KeyRestored(Fact, frozen=True, kw_only=True):
    """A till's key had been taken back by mistake: what it signed is good again."""

    till: UUID
    location: UUID
    kid: str


@declare("till.put_away", personal=("reason",))
class PutAway(Fact, frozen=True, kw_only=True):
    """A till or kiosk is not used any more; ``unsent`` entries are, as far as it had said, on it alone."""

    till: UUID
    location: UUID
    unsent: int
    reason: str


@declare("till.brought_back")
class BroughtBack(Fact, frozen=True, kw_only=True):
    """A till or kiosk that was put away is in use after all."""

    till: UUID
    location: UUID


@declare("till.named")
class Named(Fact, frozen=True, kw_only=True):
    """Staff call a till so from now on."""

    till: UUID
    location: UUID
    name: str
