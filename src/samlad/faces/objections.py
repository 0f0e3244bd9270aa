"""What the server may object to in a sale of a till, in words; the till and the admin say the same."""

from samlad.kernel.i18n import marked

OBJECTIONS = {
    "unknown-goods": marked("Unknown article"),
    "not-for-sale": marked("Not for sale here"),
    "price": marked("Another price"),
    "tax": marked("Another tax rate"),
    "promotion": marked("A promotion that it should not have had"),
    "sums": marked("Sums do not agree"),
    "paid": marked("Paid more or less"),
    "stock": marked("More than the books had"),
    "clock": marked("The clock was wrong"),
    "late": marked("Long ago"),
    "clerk": marked("Nobody of this name works here"),
    "customer": marked("Unknown customer"),
    "currency": marked("Another currency"),
    "number-used": marked("Its number was used before"),
    "conflict": marked("Another sale has its id"),
    "cart-ordered": marked("Its ticket was sold online already"),
    "unreadable": marked("It cannot be read"),
    "not-understood": marked("The server failed on it"),
}
