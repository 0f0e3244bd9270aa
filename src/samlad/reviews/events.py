"""What happens to reviews. The subject is the review, the profile who wrote it."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("review.written", personal=("title", "text", "author"))
class ReviewWritten(Fact, frozen=True, kw_only=True):
    """Somebody reviewed what they bought; not ``is_new``: wrote it anew. It waits for somebody to read it."""

    product: UUID
    order: UUID
    stars: int
    language: str
    is_new: bool
    title: str | None = None
    text: str | None = None
    author: str | None = None


@declare("review.withdrawn")
class ReviewWithdrawn(Fact, frozen=True, kw_only=True):
    """Who wrote a review took it back."""

    product: UUID


@declare("review.approved")
class ReviewApproved(Fact, frozen=True, kw_only=True):
    """A review is shown from now on."""

    product: UUID
    stars: int


@declare("review.refused", personal=("reason",))
class ReviewRefused(Fact, frozen=True, kw_only=True):
    """A review is not shown."""

    product: UUID
    stars: int
    reason: str | None = None


@declare("review.reopened")
class ReviewReopened(Fact, frozen=True, kw_only=True):
    """A decision was taken back: the review stands as ``status``, as before, or waits to be read once more."""

    product: UUID
    stars: int
    status: str


@declare("review.answered", personal=("text",))
class ReviewAnswered(Fact, frozen=True, kw_only=True):
    """The shop answered a review, or took its answer back (an empty text)."""

    product: UUID
    text: str | None = None


@declare("review.reported", personal=("reason",))
class ReviewReported(Fact, frozen=True, kw_only=True):
    """Somebody thinks that a review should not be there."""

    product: UUID
    reports: int
    reason: str | None = None


@declare("review.voted")
class ReviewVoted(Fact, frozen=True, kw_only=True):
    """Somebody found a review helpful, or took that back; ``helpful`` is how many do now."""

    product: UUID
    helpful: int
