"""What happens to payments. Amounts in minor units of ``currency``."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


class PaymentFact(Fact, frozen=True, kw_only=True):
    """What all of these say."""

    order: UUID
    payment: UUID
    provider: str
    amount: int
    currency: str


@declare("payment.pending")
class PaymentPending(PaymentFact, frozen=True, kw_only=True):
    """The provider has not decided yet."""


@declare("payment.authorized")
class PaymentAuthorized(PaymentFact, frozen=True, kw_only=True):
    """The money is reserved for us."""


@declare("payment.captured")
class PaymentCaptured(PaymentFact, frozen=True, kw_only=True):
    """The money is ours."""


@declare("payment.voided")
class PaymentVoided(PaymentFact, frozen=True, kw_only=True):
    """The money is no longer reserved."""


@declare("payment.refunded")
class PaymentRefunded(PaymentFact, frozen=True, kw_only=True):
    """``amount`` went back."""

    refund: UUID
