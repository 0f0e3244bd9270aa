"""What can go wrong when somebody comes in."""

from samlad.kernel.problems import Problem


class SignInFailed(Problem):
    """E-mail, password, code or passkey is not right. Which of them, and whether the account exists, is not told."""

    code, status, title = "sign-in-failed", 401, "That did not work"


class WrongKey(Problem):
    """The API key or token in ``Authorization`` does not exist, was revoked, or has expired."""

    code, status, title = "wrong-key", 401, "This API key is not valid"


class LinkNotValid(Problem):
    """The one-time link was used, replaced by a newer one, or has expired. Ask for a new one."""

    code, status, title = "link-not-valid", 410, "This link is not valid any more"


class ConfirmFirst(Problem):
    """This changes how somebody signs in, so they must have proved who they are in the last 15 minutes:
    ``POST /api/session/confirm`` with the password, or sign in again."""

    code, status, title = "confirm-first", 403, "Please confirm that it is you"


class CrossSite(Problem):
    """A browser sent this from another site, or without the page's token (``X-CSRF-Token`` or ``_csrf``)."""

    code, status, title = "cross-site", 403, "This request did not come from our own page"


class LastOwner(Problem):
    """There must always be an active owner; make somebody else an owner first."""

    code, status, title = "last-owner", 409, "Nobody could administer this shop any more"


class WrongPin(Problem):
    """PIN or badge are not right, or who has them may not work at this till. Which of it is not told."""

    code, status, title = "wrong-pin", 403, "That did not work"


class ApprovalRefused(Problem):
    """A manager's approval does not hold: no such account or PIN, or they may not approve this here."""

    code, status, title = "approval-refused", 403, "This was not approved"
