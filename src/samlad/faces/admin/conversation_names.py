"""What pages call the states, topics and ways of conversations."""

from samlad.conversations import State, Topic
from samlad.kernel.i18n import marked

STATES = {
    State.OPEN: (marked("To answer"), "warning"),
    State.PENDING: (marked("Answered"), "info"),
    State.SNOOZED: (marked("Later"), ""),
    State.CLOSED: (marked("Done"), "success"),
}
TOPICS = {
    Topic.ORDER: marked("An order"),
    Topic.DELIVERY: marked("Delivery"),
    Topic.RETURN: marked("A return"),
    Topic.PRODUCT: marked("A product"),
    Topic.PAYMENT: marked("Paying"),
    Topic.OTHER: marked("Something else"),
}
MEDIA = {
    "web": marked("on the website"),
    "mail": marked("by mail"),
    "phone": marked("on the phone"),
    "store": marked("in a store"),
}
