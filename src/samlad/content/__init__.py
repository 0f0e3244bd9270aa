"""Content: what a shop says for itself — its brand, pages, menus, and where old addresses lead.

The public face; `docs/concepts/content.md` explains.
"""

from samlad.content.brand_model import Brand, Face, Finding, Kit, Palette, Radius
from samlad.content.brands import kit_of, menu_of, set_kit, set_menu
from samlad.content.model import Document, Live, MenuPlace, Picture
from samlad.content.rules import said
from samlad.content.setup import Look, look_of, printed_logo

__all__ = [
    "Brand",
    "Document",
    "Face",
    "Finding",
    "Kit",
    "Live",
    "Look",
    "MenuPlace",
    "Palette",
    "Picture",
    "Radius",
    "kit_of",
    "look_of",
    "menu_of",
    "printed_logo",
    "said",
    "set_kit",
    "set_menu",
]
