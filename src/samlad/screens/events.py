"""What happens to screens. The subject is the screen."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("screen.paired")
class ScreenPaired(Fact, frozen=True, kw_only=True):
    """A screen shows tickets of a store from now on."""

    location: UUID
    name: str


@declare("screen.shows")
class ScreenShows(Fact, frozen=True, kw_only=True):
    """A screen shows another ticket, or thanks for a sale."""

    cart: UUID | None = None
    order: UUID | None = None


@declare("screen.revoked")
class ScreenRevoked(Fact, frozen=True, kw_only=True):
    """A screen shows nothing of the store any more."""

    location: UUID
