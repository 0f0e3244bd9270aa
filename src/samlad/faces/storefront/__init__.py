"""The storefront: one shop for each webshop channel, by its host. Pages that work before any script has loaded."""

from samlad.faces.storefront.routes import routes

__all__ = ["routes"]
