"""The design system: tokens, components, layouts, and how pages are rendered and sent. `README.md` here is for page authors."""

from samlad.faces.design.assets import asset, static_router
from samlad.faces.design.rendering import Pages
from samlad.faces.design.security import CAMERA_POLICY, policy_text, security_headers

__all__ = ["CAMERA_POLICY", "Pages", "asset", "policy_text", "security_headers", "static_router"]
