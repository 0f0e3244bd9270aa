"""What questions about products are called on pages of the admin."""

from collections.abc import Mapping

from samlad.kernel.i18n import marked
from samlad.questions import Status

STATES: Mapping[Status, tuple[str, str]] = {
    Status.UNCONFIRMED: (marked("Address not confirmed"), ""),
    Status.WAITING: (marked("To be read"), "warning"),
    Status.PUBLISHED: (marked("Shown"), "success"),
    Status.DECLINED: (marked("Declined"), "danger"),
    Status.WITHDRAWN: (marked("Taken back"), ""),
}
REASONS = (
    marked("It is not about the product."),
    marked("It names people or tells personal things."),
    marked("It is advertising."),
    marked("It is about an order: please write to us, so that we can look it up."),
)
HAPPENED: Mapping[str, str] = {
    "question.answer_declined": marked("What they answered to a question was declined"),
    "question.answer_offered": marked("Answered a question about a product"),
    "question.answer_removed": marked("An answer to a question was taken away"),
    "question.answered": marked("Their question about a product was answered"),
    "question.asked": marked("Asked about a product"),
    "question.changed": marked("Changed a question about a product"),
    "question.confirmed": marked("Confirmed a question about a product"),
    "question.declined": marked("Their question about a product was declined"),
    "question.published": marked("Their question about a product was published"),
    "question.reopened": marked("A decision on their question was taken back"),
    "question.restored": marked("Put a question about a product back"),
    "question.withdrawn": marked("Took a question about a product back"),
}
"""On the timeline of a customer."""
TOLD: Mapping[str, tuple[str, str]] = {
    "question.asked": (marked("Asked"), "question"),
    "question.confirmed": (marked("Address confirmed"), "check"),
    "question.changed": (marked("Written anew"), "edit"),
    "question.published": (marked("Published"), "check"),
    "question.declined": (marked("Declined"), "close"),
    "question.reopened": (marked("The decision was taken back"), "undo"),
    "question.answered": (marked("Answered"), "mail"),
    "question.answer_offered": (marked("A buyer answered"), "mail"),
    "question.answer_declined": (marked("A buyer's answer was declined"), "close"),
    "question.answer_removed": (marked("An answer was taken away"), "trash"),
    "question.reported": (marked("Reported"), "warning"),
    "question.withdrawn": (marked("Taken back"), "undo"),
    "question.restored": (marked("Put back"), "undo"),
    "question.voted": (marked("Found helpful"), "star"),
}
"""On the page of the question: the words and an icon."""
