"""What this package knows of people: what they asked and answered. Without its words a question is not shown any more."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding, Things

_ASKED = "SELECT id FROM question WHERE customer = ANY({ids}) OR email = ANY({texts})"

THINGS = [
    Things(_ASKED),
    # What the shop answered may greet them by name.
    Things(f"SELECT id FROM question_answer WHERE kind = 'shop' AND question IN ({_ASKED})"),
    Things("SELECT id FROM question_answer WHERE customer = ANY({ids})"),
]

HOLDINGS = [
    Holding(
        table="question",
        about=marked("Questions they asked about products"),
        whose="id = ANY({things})",
        personal=("customer", "email", "author", "text", "reason", "was_reason"),
        shown=("product", "language", "status", "asked_at", "answered_at", "told_at"),
        erase="""customer = NULL, email = NULL, author = '', text = '', reason = '', was_reason = '', was = NULL,
                 was_decided_by = NULL, batch = NULL,
                 status = 'withdrawn', version = version + 1""",
    ),
    Holding(
        table="question_answer",
        about=marked("Answers to questions about products, theirs and to theirs"),
        whose="id = ANY({things})",
        personal=("customer", "author", "text", "reason"),
        shown=("question", "status", "written_at"),
        erase="customer = NULL, author = '', text = '', reason = '', status = 'withdrawn', version = version + 1",
    ),
    Holding(
        table="question_vote",
        about=marked("Answers they found helpful"),
        whose="voter = ANY({ids})",
        personal=("voter",),
        shown=("answer", "voted_at"),
        erase="voter = gen_random_uuid()",
    ),
    Holding(
        table="question_report",
        about=marked("Questions they reported"),
        whose="voter = ANY({ids})",
        personal=("voter", "reason"),
        shown=("question", "reported_at"),
        erase="voter = gen_random_uuid(), reason = ''",
    ),
]
