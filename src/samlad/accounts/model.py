"""What accounts of customers are."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from samlad.carts import Address
from samlad.customers import Customer
from samlad.customers.model import Email
from samlad.kernel.problems import Problem

Means = Literal["link", "code", "password", "passkey"]

IDLE = timedelta(days=60)
"""A session that nobody uses for so long has ended."""
ABSOLUTE = timedelta(days=365)
FRESH = timedelta(minutes=30)
"""So long after signing in one may change how one signs in, have one's data collected, or be erased."""
LINK_MINUTES, CODE_MINUTES, MAIL_CHANGE_HOURS = 20, 5, 24
CODE_TRIES = 5
MOST_PASSKEYS, MOST_ADDRESSES = 20, 30


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account. ``customer`` is the row that it was made for, and never changes; `who` says whom it stands for now."""

    id: UUID
    customer: UUID
    email: str | None
    has_password: bool
    language: str | None
    store: UUID | None
    signed_in_at: datetime | None
    version: int
    created_at: datetime


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in. ``agent`` is a short summary of what it calls itself."""

    id: UUID
    account: UUID
    means: Means
    created_at: datetime
    last_seen: datetime
    remote: str | None
    agent: str


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was just opened. ``token`` goes into the cookie and is kept nowhere else; ``is_new``: so is the account."""

    session: Session
    account: Account
    customer: Customer
    token: str
    is_new: bool = False
    next: str = ""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who a browser is: the session, its account, and the customer that stands for the person now."""

    session: Session
    account: Account
    customer: Customer


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of an account."""

    id: UUID
    name: str
    created_at: datetime
    last_used: datetime | None


class LinkInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a link that is still good is for. ``is_own``: this is the browser that asked for it."""

    email: str
    is_own: bool


class TillCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a clerk shows, told only now: six digits, or the secret (in ``path``, for a QR code). Either is good once."""

    code: str
    path: str
    expires_at: datetime


class SavedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address that somebody keeps."""

    id: UUID
    address: Address
    is_delivery: bool
    is_invoice: bool
    version: int


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wears of a size chart."""

    chart: UUID
    name: str
    size: str


class AskInput(msgspec.Struct, frozen=True, kw_only=True):
    """An address that a link is asked for."""

    email: Email


class MailChange(msgspec.Struct, frozen=True, kw_only=True):
    """Another address that waits: who of both has said yes."""

    email: str
    new_said: bool
    old_said: bool
    expires_at: datetime


class SignInFailed(Problem):
    """Something is not right. Which part of it, and whether there is such an account, is not told."""

    code, status, title = "account-sign-in-failed", 401, "That did not work"


class NotGood(Problem):
    """The link or code was used, replaced, has run out, or never was."""

    code, status, title = "account-link-not-good", 410, "This link or code is not good (any more)"


class SignInAgain(Problem):
    """This changes how one signs in, or gives all of one's data away: one must have signed in just now."""

    code, status, title = "account-sign-in-again", 403, "Please sign in once more"
