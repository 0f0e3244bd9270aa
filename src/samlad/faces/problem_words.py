"""What a problem is called, and what to do now, by its status: for the page of a problem, and for what a script says of one."""

from samlad.access.problems import CrossSite
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Problem

TITLES = {
    400: marked("That request did not make sense to us"),
    401: marked("Please sign in first"),
    403: marked("This page is not for your role"),
    404: marked("There is nothing at this address"),
    409: marked("This does not go with what is there"),
    410: marked("This is not there any more"),
    412: marked("Somebody else was quicker"),
    413: marked("That is too large"),
    422: marked("Something is not right"),
    429: marked("That was a little fast"),
    503: marked("We will be back in a moment"),
}
TEXTS = {
    400: marked("Go back and try once more. If it happens again, tell us what you did."),
    401: marked("Your session has ended, or you have not signed in yet. Nothing was lost."),
    403: marked("Ask the owner of the shop for the permission, or go on with something else."),
    404: marked("It may have moved, or the link has a typing error. The search finds most things."),
    409: marked("Nothing was changed. Look at how it is now, then decide anew."),
    410: marked("It was used before, or its time is over. Go back to where you got it."),
    412: marked("What you saw has been changed in the meantime. Load it again and repeat your change."),
    413: marked("Try a smaller one, or split it."),
    422: marked("Look at what you sent, and try once more. Nothing was changed."),
    429: marked("Wait a minute, then try again."),
    503: marked("We are restarting or short of breath. Nothing was lost; try again in a minute."),
}
BROKEN = marked("Something broke on our side")
NOT_YOUR_FAULT = marked(
    "It is not your fault. We have noted it; nothing was changed that you did not see confirmed."
)
OLD_PAGE = marked("This page is too old")
LOAD_ANEW = marked("Load the page anew and try once more. Nothing was changed.")
"""Of a page from before the browser forgot our cookies, or a member of staff signed in or out in another window."""


def title(problem: Problem) -> str:
    """What happened, for the catalogue."""
    return OLD_PAGE if problem.code == CrossSite.code else TITLES.get(problem.status, BROKEN)


def text(problem: Problem) -> str:
    """What one can do, for the catalogue."""
    return LOAD_ANEW if problem.code == CrossSite.code else TEXTS.get(problem.status, NOT_YOUR_FAULT)
