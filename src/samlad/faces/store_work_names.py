"""Names of kinds and states of store work of phones, and why it was refused, as staff read it."""

import re
from collections.abc import Callable, Mapping

from samlad import orders
from samlad.faces import objections
from samlad.kernel.i18n import marked

KINDS: Mapping[str, str] = {
    "count-begin": marked("Count begun"),
    "count": marked("Counted"),
    "count-close": marked("Count closed"),
    "take": marked("Begun to pick"),
    "pick": marked("Picked"),
    "pack": marked("Packed"),
    "reject": marked("Given up"),
    "arrival": marked("Transfer received"),
    "delivery": marked("Purchase order received"),
    "other": marked("Unknown"),
}
STATES: Mapping[str, str] = {
    "done": marked("Booked"),
    "refused": marked("Refused"),
    "dismissed": marked("Dismissed"),
}
STATE_KINDS: Mapping[str, str] = {"done": "success", "refused": "warning", "dismissed": ""}

CANCELLED = marked("This was called off meanwhile. Put the goods back on the shelf.")
TAKEN = marked(
    "%(name)s is picking this. Nothing of yours was counted; ask them, or take it over with a network."
)
FURTHER = marked("This is further already, or was given back: look at it as it is now.")
NOT_HERE = marked("This is not to be done here any more.")
_STATE = re.compile(r"It is (?P<state>\w+)(?: by (?P<name>.+))?\.", re.DOTALL)


def said(translate: Callable[[str], str], code: str, detail: str) -> str:
    """Why an entry was refused, plainly: whoever did it is not at a page of the thing. ``code`` is the kind of problem."""
    if code == "not-found":
        return translate(NOT_HERE)
    found = _STATE.fullmatch(detail) if code == orders.WrongState.code else None
    if found is None:
        text = objections.said(translate, detail)
        return text[:1].upper() + text[1:]
    if found["state"] == "cancelled":
        return translate(CANCELLED)
    if found["state"] == "picking" and found["name"]:
        return translate(TAKEN) % {"name": found["name"]}
    return translate(FURTHER)
