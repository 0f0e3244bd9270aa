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


@declare("till.clerk-changed")
class ClerkChanged(Fact, frozen=True, kw_only=True):
    """Somebody else is on at the till of a session; null: it was locked."""

    clerk: UUID | None = None


@declare("till.kiosk-set-up")
class KioskSetUp(Fact, frozen=True, kw_only=True):
    """A session was handed to a kiosk: customers serve themselves at this device."""

    location: UUID
    name: str


@declare("till.kiosk-ended")
class KioskEnded(Fact, frozen=True, kw_only=True):
    """A device is no kiosk any more, and nobody is signed in there."""

    location: UUID
    name: str


@declare("till.help-called")
class HelpCalled(Fact, frozen=True, kw_only=True):
    """A customer at a kiosk called for staff."""

    location: UUID
    name: str


@declare("staff.locked", personal=("email", "remote"))
class StaffLocked(Fact, frozen=True):
    """Too many failed tries to sign in; the account (which need not exist) pauses until then."""

    email: str
    failed: int
    until: datetime
    remote: str | None = None


@declare("staff.factor-changed")
class StaffFactorChanged(Fact, frozen=True):
    """How somebody proves who they are changed: password, totp, recovery-codes, passkey, pin, badge."""

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


@declare("oauth_client.created")
class ClientCreated(Fact, frozen=True):
    """An OAuth client was made."""

    name: str
    scopes: list[str]


@declare("oauth_client.changed")
class ClientChanged(Fact, frozen=True):
    """An OAuth client may do something else, or has another name."""

    name: str
    scopes: list[str]


@declare("oauth_client.revoked")
class ClientRevoked(Fact, frozen=True):
    """An OAuth client was revoked, with all of its tokens."""

    name: str


@declare("oauth_client.secret_made")
class ClientSecretMade(Fact, frozen=True):
    """An OAuth client has a new secret; those of before end at ``others_end_at``."""

    hint: str
    others_end_at: datetime | None = None


@declare("oauth_client.secret_ended")
class ClientSecretEnded(Fact, frozen=True):
    """A secret of an OAuth client was ended before its time."""

    hint: str


@declare("oauth_client.token_revoked")
class TokenRevoked(Fact, frozen=True):
    """An OAuth client gave one of its tokens back."""
