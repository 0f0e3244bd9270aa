"""The account of a customer: signing in, and all that is theirs, over all channels."""

from samlad.faces.storefront.account.routes import handlers

__all__ = ["handlers"]
