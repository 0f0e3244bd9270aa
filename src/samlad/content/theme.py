"""A brand as a style sheet: the tokens of the design system, and nothing else.

A brand can only give values to tokens that the design system has, so it cannot break a layout, and needs no script,
no inline style and no file from elsewhere. Colours that are not in the kit are mixed from those that are, until
text on them is readable.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import msgspec

from samlad.content import colour
from samlad.content.brand_model import Brand, Face, Finding, Palette, Radius


class Colours(msgspec.Struct, frozen=True):
    """A palette in which nothing is open."""

    accent: str
    on_accent: str
    canvas: str
    surface: str
    text: str


LIGHT = Colours(accent="#0a6353", on_accent="#ffffff", canvas="#f6f7f6", surface="#ffffff", text="#13201c")
DARK = Colours(accent="#45c4a6", on_accent="#05231c", canvas="#0d1211", surface="#141b19", text="#e7eeeb")
"""What `design/static/samlad.css` has; a test holds them equal."""

# Stacks of type that devices have: https://github.com/system-fonts/modern-font-stacks (CC0).
FACES: dict[Face, str] = {
    Face.SYSTEM: 'system-ui, -apple-system, "Segoe UI Variable Text", "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
    Face.HUMANIST: 'Seravek, "Gill Sans Nova", Ubuntu, Calibri, "DejaVu Sans", source-sans-pro, sans-serif',
    Face.GEOMETRIC: 'Avenir, Montserrat, Corbel, "URW Gothic", source-sans-pro, sans-serif',
    Face.GROTESQUE: 'Inter, Roboto, "Helvetica Neue", "Arial Nova", "Nimbus Sans", Arial, sans-serif',
    Face.OLD_STYLE: '"Iowan Old Style", "Palatino Linotype", "URW Palladio L", P052, serif',
    Face.TRANSITIONAL: 'Charter, "Bitstream Charter", "Sitka Text", Cambria, serif',
    Face.SLAB: 'Rockwell, "Rockwell Nova", "Roboto Slab", "DejaVu Serif", "Sitka Small", serif',
    Face.ROUNDED: 'ui-rounded, "Hiragino Maru Gothic ProN", Quicksand, Comfortaa, Manjari, "Arial Rounded MT Bold", sans-serif',
}
RADII: dict[Radius, tuple[str, str, str]] = {
    Radius.NONE: ("0", "0", "0"),
    Radius.SMALL: ("0.1875rem", "0.25rem", "0.375rem"),
    Radius.MEDIUM: ("0.375rem", "0.5rem", "0.75rem"),
    Radius.LARGE: ("0.625rem", "1rem", "1.5rem"),
}


def complete(own: Palette, base: Colours) -> Colours:
    """What a palette leaves open is the program's own; the text on another accent is black or white."""
    values = {name: getattr(own, name) or getattr(base, name) for name in Palette.__struct_fields__}
    if own.on_accent is None and own.accent is not None:
        values["on_accent"] = colour.on(own.accent)
    return Colours(**values)


def palettes(brand: Brand) -> dict[str, Colours]:
    """Both schemes of a brand, complete."""
    return {"light": complete(brand.light, LIGHT), "dark": complete(brand.dark, DARK)}


def findings(brand: Brand) -> list[Finding]:
    """What could not be read, with the nearest colour that could."""
    found = []
    for scheme, palette in palettes(brand).items():
        grounds = (palette.canvas, palette.surface)
        for token, value, behind, names in (
            ("text", palette.text, grounds, ("canvas", "surface")),
            ("accent", palette.accent, grounds, ("canvas", "surface")),
            ("on_accent", palette.on_accent, (palette.accent,), ("accent",)),
        ):
            worst, name = min(
                (colour.contrast(value, ground), name) for ground, name in zip(behind, names, strict=True)
            )
            if worst < colour.TEXT_RATIO:
                better = colour.readable(value, behind)
                shown = math.floor(worst * 100) / 100  # cut, not rounded: 4.499 is not 4.5
                found.append(Finding(scheme, token, name, shown, colour.TEXT_RATIO, better))
    return found


def tokens(palette: Colours) -> dict[str, str]:
    """The colour tokens of a scheme."""
    canvas, surface, text, accent = palette.canvas, palette.surface, palette.text, palette.accent
    sunken, hover, soft = (
        colour.mix(canvas, text, 0.04),
        colour.mix(surface, text, 0.04),
        _soft(accent, surface),
    )
    grounds = (canvas, surface, sunken, hover, soft)
    return {
        "canvas": canvas,
        "surface": surface,
        "raised": surface,
        "sunken": sunken,
        "hover": hover,
        "line": colour.mix(surface, text, 0.12),
        "line-strong": colour.mix(surface, text, 0.25),
        "control-line": colour.readable(colour.mix(surface, text, 0.45), grounds, colour.CONTROL_RATIO),
        "text": text,
        "muted": colour.readable(colour.mix(text, canvas, 0.3), grounds),
        "accent": accent,
        "accent-hover": colour.readable(colour.mix(accent, text, 0.2), (canvas, surface, palette.on_accent)),
        "accent-soft": soft,
        "on-accent": palette.on_accent,
        "focus": accent,
    }


def _soft(accent: str, surface: str) -> str:
    """As much of the accent in a ground as accent-coloured text on it bears."""
    for share in (0.12, 0.09, 0.06, 0.03):
        ground = colour.mix(surface, accent, share)
        if colour.contrast(accent, ground) >= colour.TEXT_RATIO:
            return ground
    return surface


def style_sheet(brand: Brand) -> str:
    """The tokens of a brand as CSS; nothing for what it leaves as it is."""
    lines: list[str] = []
    if brand.light != Palette() or brand.dark != Palette():
        both = palettes(brand)
        light, dark = tokens(both["light"]), tokens(both["dark"])
        lines += [f"--{name}: light-dark({light[name]}, {dark[name]});" for name in light]
    if brand.body_face:
        lines.append(f"--font: {FACES[brand.body_face]};")
    if brand.heading_face:
        lines.append(f"--font-heading: {FACES[brand.heading_face]};")
    if brand.radius:
        lines += [f"--radius-{place}: {size};" for place, size in enumerate(RADII[brand.radius], 1)]
    return _sheet(lines)


def _sheet(lines: Sequence[str]) -> str:
    if not lines:
        return "/* as the design system has it */\n"
    return "@layer tokens {\n  :root {\n    " + "\n    ".join(lines) + "\n  }\n}\n"


def fingerprint(sheet: str) -> str:
    """What makes the address of a style sheet its own, so that browsers may keep it for ever."""
    return hashlib.sha256(sheet.encode()).hexdigest()[:12]


def inherit(nearest_first: Sequence[Brand]) -> Brand:
    """What holds: each value from the nearest that sets it, each colour by itself."""
    values: dict[str, Any] = {
        name: next((value for each in nearest_first if (value := getattr(each, name)) is not None), None)
        for name in Brand.__struct_fields__
        if name not in ("light", "dark")
    }
    light = _inherit_palette([each.light for each in nearest_first])
    dark = _inherit_palette([each.dark for each in nearest_first])
    return Brand(**values, light=light, dark=dark)


def _inherit_palette(nearest_first: Sequence[Palette]) -> Palette:
    values: dict[str, str | None] = {}
    for palette in nearest_first:
        # The text on an accent goes with that accent, never with another one further up.
        is_settled = values.get("accent") is not None
        for name in Palette.__struct_fields__:
            if values.get(name) is None and not (name == "on_accent" and is_settled):
                values[name] = getattr(palette, name)
    return Palette(**values)
