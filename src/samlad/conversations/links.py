"""The address of a conversation for who wrote without an account: a signature instead of a password."""

from uuid import UUID

from samlad.kernel.settings import Settings
from samlad.kernel.vault import BadSignature, Vault

PURPOSE = "conversations"
KEPT_SECONDS = 365 * 86_400


def path(settings: Settings, conversation: UUID) -> str:
    """The path of its page in the shop."""
    return f"/conversation/{Vault.of(settings).sign(PURPOSE, conversation.hex)}"


def read(settings: Settings, signed: str) -> UUID | None:
    """The conversation that a link is of; None if it was not signed by us, or is too old."""
    try:
        return UUID(Vault.of(settings).unsign(PURPOSE, signed, max_age=KEPT_SECONDS))
    except (BadSignature, ValueError):
        return None
