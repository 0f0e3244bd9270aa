"""What this package knows of people: gift cards and loyalty. What is owed to whoever holds a card stays owed."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding, Things

THINGS = [Things("SELECT id FROM gift_card WHERE customer = ANY({ids})")]

HOLDINGS = [
    Holding(
        table="credit_transaction",
        about=marked("Why money or points were given"),
        whose="""reason <> '' AND id IN (
                     SELECT e.transaction FROM credit_entry e JOIN credit_account a ON a.id = e.account
                     WHERE a.holder = ANY({ids}) OR a.id IN (SELECT account FROM gift_card WHERE customer = ANY({ids})))""",
        personal=("reason",),
        shown=("kind",),
        erase="reason = ''",
    ),
    Holding(
        table="gift_card",
        about=marked("Gift cards"),
        whose="customer = ANY({ids})",
        personal=("note",),
        shown=("last_four", "currency", "status"),
        erase="note = ''",
    ),
    Holding(
        table="gift_card_mail",
        about=marked("Gift cards by mail"),
        # Who gets one, and who gives it: the buyer's order names them. A mail that has not gone does not go then.
        whose="""lower(recipient) = ANY({texts})
                 OR card IN (SELECT id FROM gift_card WHERE customer = ANY({ids}))""",
        personal=("recipient", "name", "giver", "message"),
        shown=("send_on", "sent_at"),
        erase="recipient = '', name = '', giver = '', message = ''",
    ),
    Holding(
        table="loyalty_member",
        about=marked("Membership of the loyalty programme"),
        whose="customer = ANY({ids})",
        personal=("code",),
        shown=("joined_at",),
        erase="code = 'erased-' || customer",
    ),
    Holding(
        table="loyalty_lot",
        about=marked("Points"),
        whose="customer = ANY({ids})",
        personal=("customer",),
        shown=("id",),
        kept=marked("Points are part of the books; whose they were cannot be told from them any more."),
    ),
]
