"""What happens to questions. The subject is the question, the profile who asked, or who answered where they did."""

from typing import Literal
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("question.asked", personal=("text", "author"))
class QuestionAsked(Fact, frozen=True, kw_only=True):
    """Somebody asked. Not ``is_confirmed``: by an address that has to be confirmed first; its words are told then."""

    product: UUID
    language: str
    is_confirmed: bool
    text: str | None = None
    author: str | None = None


@declare("question.confirmed", personal=("text", "author"))
class QuestionConfirmed(Fact, frozen=True, kw_only=True):
    """Who asked without being signed in has followed the link in our mail: the question waits to be read."""

    product: UUID
    language: str
    text: str | None = None
    author: str | None = None


@declare("question.changed", personal=("text",))
class QuestionChanged(Fact, frozen=True, kw_only=True):
    """Who asked wrote it anew; it waits again."""

    product: UUID
    text: str | None = None


@declare("question.withdrawn")
class QuestionWithdrawn(Fact, frozen=True, kw_only=True):
    """Who asked took it back."""

    product: UUID


@declare("question.restored")
class QuestionRestored(Fact, frozen=True, kw_only=True):
    """Who asked wants it after all; it waits again."""

    product: UUID


@declare("question.published")
class QuestionPublished(Fact, frozen=True, kw_only=True):
    """A question is shown from now on."""

    product: UUID


@declare("question.declined", personal=("reason",))
class QuestionDeclined(Fact, frozen=True, kw_only=True):
    """A question is not shown."""

    product: UUID
    reason: str | None = None


@declare("question.reopened")
class QuestionReopened(Fact, frozen=True, kw_only=True):
    """A decision was taken back: the question stands as ``status``, as before, or waits to be read once more."""

    product: UUID
    status: str


@declare("question.answered", personal=("text",))
class QuestionAnswered(Fact, frozen=True, kw_only=True):
    """There is an answer to read, of the shop or of a buyer; who asked is told of the first."""

    product: UUID
    answer: UUID
    by: Literal["shop", "buyer"]
    text: str | None = None


@declare("question.answer_offered", personal=("text", "author"))
class AnswerOffered(Fact, frozen=True, kw_only=True):
    """A buyer answered; it waits to be read. The profile is who answered."""

    product: UUID
    answer: UUID
    text: str | None = None
    author: str | None = None


@declare("question.answer_declined", personal=("reason",))
class AnswerDeclined(Fact, frozen=True, kw_only=True):
    """A buyer's answer is not shown. The profile is who answered."""

    product: UUID
    answer: UUID
    reason: str | None = None


@declare("question.answer_removed")
class AnswerRemoved(Fact, frozen=True, kw_only=True):
    """An answer is taken away by whose it is, the shop or a buyer."""

    product: UUID
    answer: UUID
    by: Literal["shop", "buyer"]


@declare("question.voted")
class AnswerVoted(Fact, frozen=True, kw_only=True):
    """Somebody found an answer helpful, or took that back; ``helpful`` is how many do now."""

    product: UUID
    answer: UUID
    helpful: int


@declare("question.reported", personal=("reason",))
class QuestionReported(Fact, frozen=True, kw_only=True):
    """Somebody thinks that a question or its answers should not be there."""

    product: UUID
    reports: int
    reason: str | None = None
