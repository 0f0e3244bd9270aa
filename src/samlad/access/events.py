"""What the log tells about staff, their sessions and keys."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("staff.invited", personal=("email", "name"))
class StaffInvited(Fact, frozen=True):
    """Somebody was invited to work here."""

    email: str
    name: str
    roles: list[str]


@declare("staff.joined", personal=("email", "name"))
class StaffJoined(Fact, frozen=True):
    """An invitation was accepted."""

    email: str
    name: str


@declare("staff.changed")
class StaffChanged(Fact, frozen=True):
    """Roles, locations or status of somebody changed; sessions are judged anew."""

    status: str
    roles: list[str]
    locations: list[UUID]


@declare("staff.signed-in", personal=("remote",))
class StaffSignedIn(Fact, frozen=True):
    """Somebody signed in. ``means``: password, password+code, password+recovery, passkey, oidc, link."""

    session: UUID
    means: str
    remote: str | None = None


@declare("staff.signed-out")
class StaffSignedOut(Fact, frozen=True):
    """Sessions ended before their time: signed out, ended from elsewhere, password changed."""

    sessions: list[UUID]


@declare("staff.locked", personal=("email", "remote"))
class StaffLocked(Fact, frozen=True):
    """Too many failed tries to sign in; the account (which need not exist) pauses until then."""

    email: str
    failed: int
    until: datetime
    remote: str | None = None


@declare("staff.factor-changed")
class StaffFactorChanged(Fact, frozen=True):
    """How somebody proves who they are changed: password, totp, recovery-codes, passkey."""

    factor: str
    change: str


@declare("staff.link-made")
class StaffLinkMade(Fact, frozen=True):
    """A one-time link was made for somebody."""

    purpose: str
    expires_at: datetime


@declare("key.created")
class KeyCreated(Fact, frozen=True):
    """An API key was made."""

    name: str
    scopes: list[str]
    expires_at: datetime | None = None


@declare("key.revoked")
class KeyRevoked(Fact, frozen=True):
    """An API key was revoked."""

    name: str
