"""What this package knows of people: what they wrote, and what was written to and about them."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding, Things

THINGS = [Things("SELECT id FROM conversation WHERE customer = ANY({ids}) OR email = ANY({texts})")]

HOLDINGS = [
    Holding(
        table="conversation",
        about=marked("Conversations"),
        whose="id = ANY({things})",
        personal=("customer", "name", "email", "phone", "subject"),
        shown=("topic", "state", "begun_at", "last_at"),
        erase="customer = NULL, name = '', email = NULL, phone = NULL, subject = '', version = version + 1",
    ),
    Holding(
        table="conversation_message",
        about=marked("What was said in conversations"),
        whose="origin = ANY({things})",
        personal=("author_name", "body", "attachments"),
        shown=("way", "medium", "marks", "at"),
        erase="author_name = '', body = '', attachments = '[]'",
    ),
    Holding(
        table="conversation_file",
        about=marked("Files that came with mails"),
        whose="""(message IN (SELECT m.id FROM conversation_message m WHERE m.origin = ANY({things}))
                  OR mail IN (SELECT i.id FROM inbound_mail i WHERE i.conversation = ANY({things}) OR i.sender = ANY({texts})))""",
        personal=("name", "content"),
        shown=("stored_as", "type", "size"),
        erase="DELETE",
        files=("stored_as", "content", ""),
    ),
    Holding(
        table="inbound_mail",
        about=marked("Mails to the shop"),
        whose="conversation = ANY({things}) OR sender = ANY({texts})",
        personal=("message_id", "sender", "name", "subject", "body", "attachments"),
        shown=("state", "reason", "marks", "received_at"),
        erase="DELETE",
    ),
]
