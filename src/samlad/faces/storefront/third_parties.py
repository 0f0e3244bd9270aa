"""Scripts of others, such as measuring and advertising: which pages they may run in, and from where.

The shop says the origins (channel setting ``script_origins``), and only pages that show goods and texts to everybody let them in. What
a script sees it can send away, so none runs where somebody is signed in, types an address, pays, or came by a link that
proves who they are; the admin and the till are other faces. Consent is asked all the same: `static/consent.js`.
"""

from samlad.channels import Channel
from samlad.faces.design.security import POLICY, policy_text

PAGES = frozenset({"/", "/search", "/stores", "/last-seen", "/cart"})
BELOW = ("/c/", "/p/", "/page/")
FORMS = ("/review", "/questions")
"""Ends of paths below goods where people type what is theirs."""


def headers(channel: Channel, path: str) -> dict[str, str]:
    """What a page says beside its other headers: a policy with the shop's origins, if it has any and the page may let them in."""
    origins = channel.setting("script_origins")
    if not origins or not may_run(path):
        return {}
    listed = " ".join(sorted(set(origins)))
    widened = {
        "script-src": f"{POLICY['script-src']} {listed}",
        "connect-src": f"{POLICY['connect-src']} {listed}",
    }
    return {"Content-Security-Policy": policy_text({**POLICY, **widened})}


def may_run(path: str) -> bool:
    """Whether a page of the shop lets scripts of others in."""
    if path in PAGES:
        return True
    return path.startswith(BELOW) and not any(f"{form}/" in f"{path}/" for form in FORMS)
