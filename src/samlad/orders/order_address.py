"""The address of an order's page for who placed it: a signature instead of a password."""

from uuid import UUID

from samlad.kernel.vault import BadSignature, Vault

PURPOSE = "storefront.order"
KEPT_SECONDS = 5 * 365 * 86_400


def path(keys: Vault, order: UUID) -> str:
    """The path of an order's page in the shop."""
    return f"/order/{keys.sign(PURPOSE, order.hex)}"


def read(keys: Vault, signed: str) -> UUID | None:
    """The order that a link is of; None if it was not signed by us, or is too old."""
    try:
        return UUID(keys.unsign(PURPOSE, signed, max_age=KEPT_SECONDS))
    except (BadSignature, ValueError):
        return None
