"""The address of a question for who asked it without an account. Whoever has it has the mailbox that it was sent to."""

from uuid import UUID

from samlad.kernel.problems import NotFound
from samlad.kernel.vault import BadSignature, Vault

_PURPOSE = "questions.own"
SECONDS = 2 * 365 * 86_400
"""As long as the question is shown somebody may want it away."""


def path(vault: Vault, question: UUID) -> str:
    """Where who asked sees the question, confirms it and takes it back."""
    return f"/question/{vault.sign(_PURPOSE, question.hex)}"


def read(vault: Vault, link: str) -> UUID:
    """The question that a link is of.

    Raises:
        NotFound: it was not signed by us, or is very old.
    """
    try:
        return UUID(vault.unsign(_PURPOSE, link, max_age=SECONDS))
    except (BadSignature, ValueError):
        raise NotFound("This link is not complete. Copy it once more from where you got it.") from None
