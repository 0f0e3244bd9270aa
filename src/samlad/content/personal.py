"""What this package knows of people: photographs that they sent."""

from samlad.kernel.i18n import marked
from samlad.kernel.personal import Holding

HOLDINGS = [
    Holding(
        table="photograph",
        about=marked("Photographs they sent"),
        whose="subject = ANY({things}) OR subject = ANY({ids})",
        personal=("content",),
        shown=("id", "subject", "created_at", "width", "height"),
        erase="DELETE",
        files=("id", "content", "webp"),
    ),
]
