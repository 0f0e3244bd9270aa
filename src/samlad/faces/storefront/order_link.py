"""The address of an order for who placed it, as pages use it."""

from uuid import UUID

from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.kernel.problems import NotFound
from samlad.orders import order_address


def href(request: AnyRequest, order: UUID) -> str:
    """The address of an order's page."""
    return order_address.path(request.app.state.runtime.vault, order)


def read_link(request: AnyRequest, link: str) -> UUID:
    """The order that a link is of.

    Raises:
        NotFound: it was not signed by us, or is too old.
    """
    found = order_address.read(request.app.state.runtime.vault, link)
    if found is None:
        raise NotFound(
            face.words(request)("This link is not complete. Copy it once more from where you got it.")
        )
    return found
