"""The address of an order for who placed it: a signature instead of a password."""

from uuid import UUID

from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import BadSignature

PURPOSE = "storefront.order"
KEPT_SECONDS = 5 * 365 * 86_400


def href(request: AnyRequest, order: UUID) -> str:
    """The address of an order's page."""
    return f"/order/{request.app.state.runtime.vault.sign(PURPOSE, order.hex)}"


def read_link(request: AnyRequest, link: str) -> UUID:
    """The order that a link is of.

    Raises:
        NotFound: it was not signed by us, or is too old.
    """
    try:
        return UUID(request.app.state.runtime.vault.unsign(PURPOSE, link, max_age=KEPT_SECONDS))
    except (BadSignature, ValueError):
        raise NotFound(
            face.words(request)("This link is not complete. Copy it once more from where you got it.")
        ) from None
