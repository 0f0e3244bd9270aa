"""How often one address may do what costs us something. Inside each process: it protects the machine."""

from samlad.access.rate import LocalLimit
from samlad.faces.page import AnyRequest

searches = LocalLimit(per_second=8, burst=60)
"""Searches and suggestions; a quick typist asks four times a second."""
writes = LocalLimit(per_second=5, burst=60)
"""Changes of carts."""
receipts = LocalLimit(per_second=1, burst=60)
"""Receipts that are checked; a desk of returns scans a handful a minute. That none is guessed is the signature's work."""
CHECKOUTS, CHECKOUT_SECONDS = 40, 600
"""Orders tried from one address in so many seconds, over all processes: it protects payments from being tried out."""


def who(request: AnyRequest) -> str:
    """The address that asks."""
    return request.client.host if request.client else "?"
