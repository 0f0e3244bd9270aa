"""The address of an appointment for who booked it: a signature instead of a password."""

from uuid import UUID

from samlad.kernel.settings import Settings
from samlad.kernel.vault import BadSignature, Vault

PURPOSE = "appointments"
KEPT_SECONDS = 2 * 365 * 86_400


def path(settings: Settings, appointment: UUID) -> str:
    """The path of its page in the shop."""
    return f"/appointment/{Vault.of(settings).sign(PURPOSE, appointment.hex)}"


def read(settings: Settings, signed: str) -> UUID | None:
    """The appointment that a link is of; None if it was not signed by us, or is too old."""
    try:
        return UUID(Vault.of(settings).unsign(PURPOSE, signed, max_age=KEPT_SECONDS))
    except (BadSignature, ValueError):
        return None
