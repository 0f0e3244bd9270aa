"""What happens to alerts. The subject is the alert, the profile whoever asked."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("stock_alert.asked", personal=("email",))
class AlertAsked(Fact, frozen=True, kw_only=True):
    """Somebody wants to be told when a variant is there again."""

    variant: UUID
    email: str | None = None


@declare("stock_alert.due", personal=("email",))
class AlertDue(Fact, frozen=True, kw_only=True):
    """What somebody waits for is there again: whoever sends messages tells them, in their language. Once for each alert."""

    variant: UUID
    sku: str
    language: str
    available: int
    email: str | None = None


@declare("stock_alert.ended")
class AlertEnded(Fact, frozen=True, kw_only=True):
    """Somebody does not wait any more."""

    variant: UUID
