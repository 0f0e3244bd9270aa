"""Links that are one person's alone: their preferences, and the yes that a message asks for (double opt-in).

Whoever has the link has the mailbox or the phone that it was sent to, so what is answered there is proved.
"""

from uuid import UUID

import msgspec

from samlad.kernel.problems import NotFound
from samlad.kernel.vault import BadSignature, Vault

_PREFERENCES, _CONFIRM = "consent.preferences", "consent.confirm"
PREFERENCES_SECONDS = 5 * 365 * 86_400
"""Every message that was ever sent must let its reader stop the next."""
CONFIRM_SECONDS = 14 * 86_400


class Confirmation(msgspec.Struct, frozen=True):
    """What a link confirms: the purpose, for an identifier, by the text that was shown."""

    node: UUID
    purpose: str
    text: UUID | None


def preferences_link(vault: Vault, node: UUID) -> str:
    """The address of somebody's preferences; ``/unsubscribe`` behind it takes one click (RFC 8058)."""
    return f"/preferences/{vault.sign(_PREFERENCES, node.hex)}"


def read_preferences(vault: Vault, link: str) -> UUID:
    """Whose preferences a link opens.

    Raises:
        NotFound: it was not signed by us.
    """
    try:
        return UUID(vault.unsign(_PREFERENCES, link, max_age=PREFERENCES_SECONDS))
    except (BadSignature, ValueError):
        raise NotFound("This link is not complete. Copy it once more from where you got it.") from None


def confirm_link(vault: Vault, confirmation: Confirmation) -> str:
    """The address at which somebody confirms that they want it."""
    text = confirmation.text.hex if confirmation.text else ""
    return f"/confirm/{vault.sign(_CONFIRM, f'{confirmation.node.hex}:{confirmation.purpose}:{text}')}"


def read_confirm(vault: Vault, link: str) -> Confirmation:
    """What a link confirms.

    Raises:
        NotFound: it was not signed by us, or is more than two weeks old.
    """
    try:
        node, purpose, text = vault.unsign(_CONFIRM, link, max_age=CONFIRM_SECONDS).split(":")
        return Confirmation(UUID(node), purpose, UUID(text) if text else None)
    except (BadSignature, ValueError):
        raise NotFound("This link is not complete, or is too old. Ask for another.") from None
