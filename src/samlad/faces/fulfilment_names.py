"""Names of ways, states and reasons of fulfilments as staff read them; translated where they are shown."""

from samlad.kernel.i18n import marked

METHODS = {
    "ship": marked("Send"),
    "pickup": marked("Pick-up"),
    "curbside": marked("To the kerb"),
    "same_day": marked("Deliver today"),
    "hand_over": marked("Hand over"),
    "digital": marked("Digital"),
}
METHOD_ICONS = {
    "ship": "truck",
    "pickup": "bag",
    "curbside": "pin",
    "same_day": "clock",
    "hand_over": "till",
    "digital": "mail",
}
STATES = {
    "open": marked("To pick"),
    "picking": marked("Being picked"),
    "picked": marked("Picked"),
    "packed": marked("Packed"),
    "ready": marked("Ready for pick-up"),
    "needs_customer": marked("The customer is asked"),
    "waiting": marked("The customer waits for it"),
    "shipped": marked("Sent"),
    "delivered": marked("With the customer"),
    "rejected": marked("Given up here"),
    "cancelled": marked("Cancelled"),
}
STATE_KINDS = {
    "picking": "accent",
    "picked": "info",
    "packed": "info",
    "ready": "success",
    "needs_customer": "warning",
    "waiting": "warning",
    "delivered": "success",
    "rejected": "danger",
}
REASONS = {
    "not_found": marked("It is not there"),
    "damaged": marked("It is damaged"),
    "no_time": marked("We cannot make it in time"),
    "closed": marked("We are closed"),
    "other": marked("Another reason"),
    "lost": marked("A count found less"),
}
TRACKING = {
    "accepted": marked("The carrier has it"),
    "in_transit": marked("On the way"),
    "out_for_delivery": marked("Arrives today"),
    "delivered": marked("Delivered"),
    "failed": marked("Could not be delivered"),
    "returned": marked("On the way back to us"),
}
REFUSALS = (
    marked("this is not in the order"),
    marked("there are enough of it already"),
    marked("this is another code"),
    marked("without a code, say how it is known that it is theirs"),
    marked("nothing has this code"),
    marked("this is what was ordered"),
    marked("this has no price here"),
    marked("this is taxed otherwise; refund the one and sell the other"),
    marked("no order of this walk wants this"),
    marked("the order has no address to send it to"),
    marked("There is nothing left to pick; a colleague was quicker."),
)
"""What the verbs refuse with, word by word: named here so that forms can say it in the reader's language."""
