"""What pages call the states, topics and ways of conversations."""

from samlad.conversations import Mark, State
from samlad.conversations.model import Why
from samlad.kernel.i18n import marked

STATES = {
    State.OPEN: (marked("To answer"), "warning"),
    State.PENDING: (marked("Answered"), "info"),
    State.SNOOZED: (marked("Later"), ""),
    State.CLOSED: (marked("Done"), "success"),
}
MEDIA = {
    "web": marked("on the website"),
    "mail": marked("by mail"),
    "phone": marked("on the phone"),
    "store": marked("in a store"),
}
MARKS = {
    Mark.AUTOMATIC: marked("A program wrote this"),
    Mark.OTHER_ADDRESS: marked("From another address than the customer’s"),
    Mark.CARD: marked("A card number was taken out"),
    Mark.SHORTENED: marked("It was longer"),
}
WHY = {
    Why.NO_THREAD: marked("It answers none of our mails"),
    Why.FORGED: marked("The address it was sent to is not one of ours"),
    Why.TWO_THREADS: marked("It was sent to one conversation and answers another"),
    Why.OTHER_SENDER: marked("It answers a mail that went to somebody else"),
    Why.OTHER_CUSTOMER: marked("Another customer sent it"),
    Why.ERASED: marked("The customer of this conversation was erased"),
    Why.UNPROVED: marked("Nothing proves that it is from this address"),
}
