"""What the log tells about accounts of customers. Never an address or a code; where somebody was is taken out by erasure."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("account.opened")
class AccountOpened(Fact, frozen=True):
    """A customer has an account. ``means``: how they proved who they are."""

    means: str


@declare("account.signed-in", personal=("remote",))
class AccountSignedIn(Fact, frozen=True):
    """A customer signed in. ``means``: link, code, password, passkey."""

    session: UUID
    means: str
    remote: str | None = None


@declare("account.signed-out")
class AccountSignedOut(Fact, frozen=True):
    """Sessions ended before their time."""

    sessions: list[UUID]


@declare("account.locked")
class AccountLocked(Fact, frozen=True):
    """Too many failed tries for one address, which need not have an account; it pauses until then."""

    failed: int
    until: datetime


@declare("account.credential-changed")
class AccountCredentialChanged(Fact, frozen=True):
    """How somebody signs in changed: ``credential`` is password, passkey or email; ``change`` set, added, removed, changed."""

    credential: str
    change: str


@declare("account.code-shown")
class AccountCodeShown(Fact, frozen=True):
    """A clerk showed a customer a code to sign in with."""

    until: datetime


@declare("account.details-changed")
class AccountDetailsChanged(Fact, frozen=True):
    """What somebody keeps with us changed: language, store, sizes, addresses."""

    fields: list[str]
