"""Accounts: how customers sign in, and what they keep with us. The public face; `docs/concepts/accounts.md` explains."""

from samlad.accounts import profile_parts
from samlad.accounts.codes import is_good, show, with_digits, with_secret
from samlad.accounts.keeping import (
    add_address,
    change_address,
    charts,
    open_address,
    own_address,
    remove_address,
    seal_address,
    set_preferences,
    sizes_of,
)
from samlad.accounts.keeping_store import addresses, sizes
from samlad.accounts.links import address_of, count_ask, look, send_to_customer
from samlad.accounts.links import ask as ask_link
from samlad.accounts.links import sign_in as with_link
from samlad.accounts.mail_change import ask as ask_mail_change
from samlad.accounts.mail_change import confirm as confirm_mail_change
from samlad.accounts.model import (
    ABSOLUTE,
    CODE_MINUTES,
    LINK_MINUTES,
    Account,
    LinkInfo,
    MailChange,
    NotGood,
    Opened,
    Passkey,
    SavedAddress,
    Session,
    SignedIn,
    SignInAgain,
    SignInFailed,
    Size,
    TillCode,
)
from samlad.accounts.passwords import remove_password, set_password, with_password
from samlad.accounts.permissions import HELP, READ
from samlad.accounts.sessions import (
    actor_of,
    end,
    end_all,
    end_others,
    of_customer,
    require_fresh,
    sign_out,
    who,
)
from samlad.accounts.store import mail_change as waiting_address
from samlad.accounts.store import passkeys as keys
from samlad.accounts.store import sessions

__all__ = [
    "ABSOLUTE",
    "CODE_MINUTES",
    "HELP",
    "LINK_MINUTES",
    "READ",
    "Account",
    "LinkInfo",
    "MailChange",
    "NotGood",
    "Opened",
    "Passkey",
    "SavedAddress",
    "Session",
    "SignInAgain",
    "SignInFailed",
    "SignedIn",
    "Size",
    "TillCode",
    "actor_of",
    "add_address",
    "address_of",
    "addresses",
    "ask_link",
    "ask_mail_change",
    "change_address",
    "charts",
    "confirm_mail_change",
    "count_ask",
    "end",
    "end_all",
    "end_others",
    "is_good",
    "keys",
    "look",
    "of_customer",
    "open_address",
    "own_address",
    "profile_parts",
    "remove_address",
    "remove_password",
    "require_fresh",
    "seal_address",
    "send_to_customer",
    "sessions",
    "set_password",
    "set_preferences",
    "show",
    "sign_out",
    "sizes",
    "sizes_of",
    "waiting_address",
    "who",
    "with_digits",
    "with_link",
    "with_password",
    "with_secret",
]
