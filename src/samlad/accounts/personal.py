"""What accounts know of customers. Erased, nobody can sign in as them: what is of an account goes with it."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

_THEIRS = "account IN (SELECT a.id FROM account a WHERE a.customer = ANY({ids}))"

HOLDINGS = [
    Holding(
        table="account_session",
        about=marked("Where they are signed in"),
        whose=_THEIRS,
        personal=("remote", "agent"),
        shown=("means", "created_at", "last_seen"),
        erase="DELETE",
    ),
    Holding(
        table="account_passkey",
        about=marked("Their passkeys"),
        whose=_THEIRS,
        personal=("name",),
        shown=("created_at", "last_used"),
        erase="DELETE",
    ),
    Holding(
        table="account_link",
        about=marked("Links to sign in that were sent to them"),
        whose="email = ANY({texts})",
        personal=("email",),
        shown=("created_at", "expires_at", "used_at"),
        erase="DELETE",
    ),
    Holding(
        table="account_code",
        about=marked("A code to sign in that they were shown"),
        whose="customer = ANY({ids})",
        personal=("customer",),
        shown=("created_at", "expires_at"),
        erase="DELETE",
    ),
    Holding(
        table="account_mail_change",
        about=marked("Another e-mail address for their account"),
        whose=_THEIRS,
        personal=("email",),
        shown=("expires_at",),
        erase="DELETE",
    ),
    Holding(
        table="account_address",
        about=marked("Their addresses"),
        whose=_THEIRS,
        personal=("address",),
        shown=("is_delivery", "is_invoice", "created_at"),
        erase="DELETE",
    ),
    Holding(
        table="account_size",
        about=marked("Their sizes"),
        whose=_THEIRS,
        personal=("size",),
        shown=("chart",),
        erase="DELETE",
    ),
    Holding(
        table="account",
        about=marked("Their account"),
        whose="customer = ANY({ids})",
        personal=("email", "password_hash", "language", "store"),
        shown=("customer", "created_at", "signed_in_at"),
        withheld=("password_hash",),
        erase="DELETE",
    ),
]
