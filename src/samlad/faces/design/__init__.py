"""The design system: tokens, components, layouts, and how pages are rendered and sent. `README.md` here is for page authors."""

from samlad.faces.design.assets import asset, static_router
from samlad.faces.design.rendering import Pages
from samlad.faces.design.security import security_headers

__all__ = ["Pages", "asset", "security_headers", "static_router"]
