"""What pages call the topics of conversations."""

from samlad.conversations import Topic
from samlad.kernel.i18n import marked

TOPICS = {
    Topic.ORDER: marked("An order"),
    Topic.DELIVERY: marked("Delivery"),
    Topic.RETURN: marked("A return"),
    Topic.PRODUCT: marked("A product"),
    Topic.PAYMENT: marked("Paying"),
    Topic.OTHER: marked("Something else"),
}
OWN_TOPICS = TOPICS | {Topic.ORDER: marked("My order")}
"""As customers choose them."""
