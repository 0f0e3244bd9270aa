"""Problems: what went wrong, where, and what would be right (RFC 9457).

A subclass of `Problem` is one kind of error with one documented ``type``. Raise it anywhere; HTTP answers
``application/problem+json``, pages show it at the field, the command line prints one line and exits with 2.
"""

from typing import Any, ClassVar, Self

import msgspec

ERRORS_BELOW = "See errors for each field."
"""The detail of a problem whose ``errors`` say it all."""


class FieldError(msgspec.Struct, frozen=True):
    """One fault in the input: where (a JSON pointer without its leading slash, or a field's name) and what."""

    field: str
    message: str


class Problem(Exception):
    """The base of all errors that a caller is told about.

    Class attributes ``code`` (last part of the type URI), ``status`` (HTTP) and ``title`` are the kind; the
    docstring is its documentation and is served at ``/problems/{code}``. ``detail`` is this occurrence.
    Extra keyword arguments become extension members of the problem document.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str = "", *, errors: tuple[FieldError, ...] = (), **extra: Any) -> None:
        self.detail = detail
        self.errors = errors
        self.extra = extra
        super().__init__(detail or self.title)

    @classmethod
    def at(cls, field: str, message: str) -> Self:
        """The problem of one field."""
        return cls(message, errors=(FieldError(field, message),))

    def under(self, place: str) -> Self:
        """The same, about what stands at a place of a larger input."""
        kind = type(self)
        faults = tuple(FieldError(f"{place}/{each.field}", each.message) for each in self.errors)
        return kind(self.detail, errors=faults, **self.extra)

    def document(self, instance: str | None = None) -> dict[str, Any]:
        """The RFC 9457 document; ``type`` is relative to the server that answers."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            document["detail"] = self.detail
        if instance:
            document["instance"] = instance
        if self.errors:
            document["errors"] = [{"field": e.field, "message": e.message} for e in self.errors]
        return document | self.extra

    @classmethod
    def kinds(cls) -> dict[str, type["Problem"]]:
        """Every kind of problem that the loaded packages declare, by code."""
        found = {cls.code: cls}
        for child in cls.__subclasses__():
            found |= child.kinds()
        return found


class InvalidInput(Problem):
    """The request was understood but a value in it is not acceptable; ``errors`` names each field and why."""

    code, status, title = "invalid-input", 422, "Some of the input is not right"


class Malformed(Problem):
    """The request could not be read: broken JSON, a wrong content type, an unknown or unreadable parameter."""

    code, status, title = "malformed", 400, "The request cannot be read"


class NotFound(Problem):
    """There is no such thing, or it is in a pool that the caller may not see."""

    code, status, title = "not-found", 404, "Not found"


class Unauthenticated(Problem):
    """The request needs a signed-in member of staff or an API key, and has none that is valid."""

    code, status, title = "unauthenticated", 401, "Please sign in"


class Forbidden(Problem):
    """The caller is known but lacks the permission named in ``permission``, here or at this location."""

    code, status, title = "forbidden", 403, "Not allowed"


class Conflict(Problem):
    """The change clashes with what is there: a name already taken, a state that does not allow it."""

    code, status, title = "conflict", 409, "This clashes with what is there"


class Outdated(Problem):
    """``If-Match`` named an older version: somebody changed the thing meanwhile. Read it again, then decide."""

    code, status, title = "outdated", 412, "Somebody changed this meanwhile"


class PreconditionRequired(Problem):
    """This write needs ``If-Match`` with the ETag that you last saw, so that nobody's change is lost."""

    code, status, title = "precondition-required", 428, "Say which version you change"


class TooLarge(Problem):
    """The body or the file is larger than this address takes."""

    code, status, title = "too-large", 413, "Too large"


class TooMany(Problem):
    """Too many requests from here in a short time; ``Retry-After`` says when to come back (seconds)."""

    code, status, title = "too-many-requests", 429, "Too many requests"


class KeyReused(Problem):
    """This ``Idempotency-Key`` was used for another request; take a new key for a new request."""

    code, status, title = "idempotency-key-reused", 422, "This Idempotency-Key was used for another request"


class StillRunning(Problem):
    """A request with this ``Idempotency-Key`` is being worked on right now; try again in a moment."""

    code, status, title = "idempotency-still-running", 409, "The same request is still running"


class Busy(Problem):
    """The database cannot be reached or a lock was held too long. Nothing was done; try again."""

    code, status, title = "busy", 503, "Busy for a moment; nothing was done"


class OutcomeUnknown(Problem):
    """The connection broke during the commit. Ask again with the same ``Idempotency-Key`` to learn the answer."""

    code, status, title = "outcome-unknown", 503, "The connection broke; ask again with the same key"
